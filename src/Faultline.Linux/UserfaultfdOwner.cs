using System;
using System.Threading;

namespace Faultline.Linux;

/// <summary>
/// The address space a userfaultfd belongs to, as far as the context needs it: the way to make calls that only the owner may make.
/// A fork makes the child's before the child exists, so that the context in a FORK message can name it.
/// </summary>
internal sealed class UserfaultfdOwner
{
    private readonly object _gate = new();
    private volatile SystemCaller? _caller;
    private volatile bool _isSettled;

    // See LatestFork. Set by the thread that forks, read by those that read messages.
    private volatile UserfaultfdOwner? _latestFork;

    /// <summary>An owner that is known, or null for one whose calls cannot be made from here (a foreign process).</summary>
    internal UserfaultfdOwner(SystemCaller? caller)
    {
        _caller = caller;
        _isSettled = true;
    }

    private UserfaultfdOwner()
    {
    }

    /// <summary>
    /// The owner-to-be of the latest fork, or null before the first. Set before the fork, one at a time. It stays after the fork: the read of the
    /// message is what lets the fork go on, and the reader looks here only then.
    /// </summary>
    internal UserfaultfdOwner? LatestFork
    {
        get => _latestFork;
        set => _latestFork = value;
    }

    /// <summary>The owner-to-be of the fork that is under way now, or null.</summary>
    internal UserfaultfdOwner? ForkUnderWay => _latestFork is { _isSettled: false } fork ? fork : null;

    /// <summary>
    /// What to do before a context asks for FORK events, or null. The first copy of this process, which is nobody's fork, must have
    /// been made by then.
    /// </summary>
    internal Func<Errno>? BeforeForkEvents { get; set; }

    /// <summary>An owner that is being made by a fork. <see cref="Settle"/> must follow, whatever comes of the fork.</summary>
    internal static UserfaultfdOwner Forking() => new();

    /// <summary>Tells what came of the fork: the child's caller, or null if there is no child.</summary>
    internal void Settle(SystemCaller? caller)
    {
        lock (_gate)
        {
            _caller = caller;
            _isSettled = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>The way to call, after a fork under way has settled; null if there is none.</summary>
    internal SystemCaller? GetCaller()
    {
        SystemCaller? caller = _caller;
        if (caller is not null)
        {
            return caller;
        }

        lock (_gate)
        {
            while (!_isSettled)
            {
                _ = Monitor.Wait(_gate);
            }

            return _caller;
        }
    }
}
