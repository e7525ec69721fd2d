using System;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Hosting;

/// <summary>Counts those who use something, and tells when the last one has left after the door was closed.</summary>
internal sealed class UseCount
{
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private int _inside;
    private bool _isClosed;

    public int Inside
    {
        get
        {
            lock (_lock)
            {
                return _inside;
            }
        }
    }

    public bool TryEnter()
    {
        lock (_lock)
        {
            _inside += _isClosed ? 0 : 1;
            return !_isClosed;
        }
    }

    public void Leave()
    {
        lock (_lock)
        {
            _inside--;
            TellIfEmpty();
        }
    }

    /// <summary>Lets nobody in any more.</summary>
    /// <param name="within">How long to wait for those inside.</param>
    /// <param name="cancellation">Waits no longer.</param>
    /// <returns>Whether all have left.</returns>
    public async Task<bool> CloseAsync(TimeSpan within, CancellationToken cancellation)
    {
        lock (_lock)
        {
            _isClosed = true;
            TellIfEmpty();
        }

        try
        {
            await _empty.Task.WaitAsync(within, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            return false;
        }
    }

    private void TellIfEmpty()
    {
        if (_isClosed && _inside == 0)
        {
            _empty.TrySetResult();
        }
    }
}
