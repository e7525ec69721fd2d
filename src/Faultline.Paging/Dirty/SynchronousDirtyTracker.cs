using System;
using System.Collections.Generic;
using System.Threading;

namespace Faultline.Paging;

/// <summary>Write-protection that a handler lifts, page by page, when someone wants to write, and notes: see <see cref="WriteWatch"/>.</summary>
internal sealed class SynchronousDirtyTracker : IDirtyTracker
{
    private readonly WriteWatch _watch;
    private int _isDisposed;

    /// <summary>Takes over <paramref name="host"/>, also if this throws.</summary>
    public SynchronousDirtyTracker(WatchHost host)
    {
        Host = host;
        _watch = host.Watch!;
        try
        {
            _watch.BeginTracking();
        }
        catch
        {
            host.Dispose();
            throw;
        }
    }

    public AddressRange Range => _watch.Range;

    public DirtyTracking Kind => DirtyTracking.Synchronous;

    public ulong PageBytes => _watch.PageBytes;

    /// <summary>Who brings the faults; a snapshot of what is tracked shares it.</summary>
    public WatchHost Host { get; }

    public long TakeWritten(ICollection<AddressRange> written)
    {
        ArgumentNullException.ThrowIfNull(written);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed) != 0, this);
        long taken = _watch.TakeWritten(written);
        new SystemResult(Host.Failure).OrThrow("read", Range);
        return taken;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _watch.EndTracking();
            Host.Dispose();
        }
    }
}
