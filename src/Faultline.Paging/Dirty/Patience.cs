using System;
using System.Diagnostics;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>Waits, a moment at a time, for an address space that is changing; but not for ever.</summary>
internal sealed class Patience : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private Parker? _pause;
    private long _begun;

    /// <summary>Lets a millisecond pass; false when it has been long enough.</summary>
    public bool Wait()
    {
        if (_pause is null)
        {
            _pause = new Parker();
            _begun = Seam.Timestamp;
        }

        _pause.Park(1);
        return Stopwatch.GetElapsedTime(_begun, Seam.Timestamp) < Longest;
    }

    public void Dispose() => _pause?.Dispose();
}
