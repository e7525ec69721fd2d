using System;
using System.Collections.Generic;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>
/// What one thread needs to carry faults through the stages: a handler thread, or the owner of a lease. Used by one thread at a time; allocates
/// only while it grows.
/// </summary>
internal sealed class FaultWorker : IDisposable
{
    private readonly Parker _pause = new();
    private PageFault[] _faults = new PageFault[128];
    private int _pauses;
    private int _head;
    private int _count;

    /// <summary>Addresses of <see cref="_installedFor"/> whose waiters have all been woken, if their message was read at
    /// <see cref="_installedBatch"/> or before.</summary>
    private AddressRange _installed;
    private PagerClient? _installedFor;
    private long _installedBatch;

    /// <summary>The faults to be done.</summary>
    public int Count => _count;

    public UserfaultfdMessage[] Messages { get; } = new UserfaultfdMessage[64];

    public long[] Ready { get; } = new long[16];

    /// <summary>Children that a batch of messages brought, to be attached once the parent's lock is let go.</summary>
    public List<ForkedClient> Forks { get; } = [];

    /// <summary>Loads given up under a lock, to be told of when it is let go.</summary>
    public List<AbandonedLoad> Abandoned { get; } = [];

    /// <summary>Where the leases of this worker's thread sleep.</summary>
    public LoadWait Wait { get; } = new();

    /// <summary>Which pages of the load in hand are zero.</summary>
    public PageBits Zero { get; private set; } = new(64);

    private int ZeroPages { get; set; } = 64;

    /// <summary>Whether a message could not be read now, and reading it again at once would only cost time.</summary>
    public bool MustPause { get; set; }

    /// <summary>What is on its way out of a cache.</summary>
    public EvictionBatch Evicting { get; } = new();

    /// <summary>Addresses whose wake is still owed; see <see cref="FaultWake"/>.</summary>
    public AddressRange Owed { get; set; }

    /// <summary>Adds a fault to the end of what is to be done.</summary>
    public void Put(in PageFault fault)
    {
        if (_count == _faults.Length)
        {
            var larger = new PageFault[_faults.Length * 2];
            for (int i = 0; i < _count; i++)
            {
                larger[i] = _faults[(_head + i) & (_faults.Length - 1)];
            }

            _faults = larger;
            _head = 0;
        }

        _faults[(_head + _count) & (_faults.Length - 1)] = fault;
        _count++;
    }

    /// <summary>Takes the fault that is to be done next.</summary>
    public bool TryTake(out PageFault fault)
    {
        if (_count == 0)
        {
            fault = default;
            return false;
        }

        ref PageFault slot = ref _faults[_head];
        fault = slot;
        slot = default;
        _head = (_head + 1) & (_faults.Length - 1);
        _count--;
        return true;
    }

    /// <summary>Clears <see cref="Zero"/> for a load of <paramref name="pages"/> pages.</summary>
    public PageBits ClearZero(int pages)
    {
        if (pages > ZeroPages)
        {
            Zero = new PageBits(pages);
            ZeroPages = pages;
        }
        else
        {
            Zero.Clear(0, pages);
        }

        return Zero;
    }

    /// <summary>Remembers that the waiters of a range whose message was read at <paramref name="batch"/> or before have all been woken.</summary>
    public void NoteWoken(PagerClient client, AddressRange range, long batch)
    {
        _installedFor = client;
        _installed = range;
        _installedBatch = batch;
    }

    /// <summary>Whether the fault's thread has been woken, with its page installed, since the message was read.</summary>
    public bool IsWoken(in PageFault fault) =>
        ReferenceEquals(fault.Client, _installedFor)
            && fault.Batch <= _installedBatch
            && fault.Kind != PageFaultKind.WriteProtect
            && _installed.Contains(fault.Address);

    /// <summary>Lets some milliseconds pass; not as many for every thread, so that those who are in each other's way do not come back
    /// together.</summary>
    public void Pause()
    {
        const int LeastMs = 1;
        const int KindsOfPause = 8;
        _pauses = (_pauses * 5) + (Seam.IsScheduled ? 0 : Environment.CurrentManagedThreadId);
        _pause.Park(LeastMs + (int)((uint)_pauses % KindsOfPause));
    }

    public void Dispose()
    {
        Wait.Dispose();
        _pause.Dispose();
    }
}
