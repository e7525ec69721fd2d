using System;
using System.Runtime.ExceptionServices;
using System.Threading;
using Xunit;

namespace Faultline.Conformance;

/// <summary>Work that may block, on a background thread of its own.</summary>
/// <typeparam name="T">What it answers.</typeparam>
#pragma warning disable CA1001 // The event has no kernel handle, and may still be set by a thread that outlives the case.
public class PendingWork<T>
#pragma warning restore CA1001
{
    private readonly ManualResetEventSlim _done = new(initialState: false);
    private readonly string _what;
    private T _result = default!;
    private ExceptionDispatchInfo? _error;

    /// <summary>Starts the work.</summary>
    /// <param name="what">What it is, for messages.</param>
    /// <param name="work">The work.</param>
    public PendingWork(string what, Func<T> work)
    {
        _what = what;
        Thread thread = new(() => Run(work)) { IsBackground = true, Name = what };
        thread.Start();
    }

    /// <summary>Whether it has ended.</summary>
    public bool IsDone => _done.IsSet;

    /// <summary>Waits for the end; fails after the deadline.</summary>
    public T Await()
    {
        Assert.True(_done.Wait(Deadline.Normal), $"{_what} is still blocked after {Deadline.Normal.TotalSeconds:0} s.");
        _error?.Throw();
        return _result;
    }

    /// <summary>Waits for the end without judging; false if the deadline comes first.</summary>
    public bool TryAwait() => _done.Wait(Deadline.Normal);

    /// <summary>Fails if the work ends within a short time.</summary>
    public void AssertStillBlocked()
    {
        Assert.False(_done.Wait(Deadline.Quiet), $"{_what} ended, with {(_error is null ? _result : _error.SourceException)}, but should still be blocked.");
    }

    private void Run(Func<T> work)
    {
        try
        {
            _result = work();
        }
#pragma warning disable CA1031 // Any exception is handed to the thread that awaits the work.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _error = ExceptionDispatchInfo.Capture(error);
        }
        finally
        {
            _done.Set();
        }
    }
}
