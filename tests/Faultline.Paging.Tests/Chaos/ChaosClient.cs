using System;
using System.Collections.Generic;
using System.Threading;

namespace Faultline.Paging.Tests;

/// <summary>
/// A client of a chaos run and what must be in its memory. One thread writes and discards, in even pages; others only read, in odd ones. Whoever gets an answer
/// compares it.
/// </summary>
internal sealed class ChaosClient(IAddressSpace space, AddressRange range, PagerClient paged, RegionKind kind, ChaosVerdict verdict) : IDisposable
{
    private readonly Lock _leaving = new();
    private bool _isLeaving;
    private readonly Dictionary<ulong, ulong> _written = [];
    private readonly HashSet<ulong> _discarded = [];

    public PagerClient Paged { get; } = paged;

    public IAddressSpace Space { get; } = space;

    public AddressRange Range { get; } = range;

    public RegionKind Kind { get; } = kind;

    public bool HasEvents { get; init; }

    /// <summary>Set before the address space is killed.</summary>
    public bool IsKilled { get; set; }

    /// <summary>From here on nothing is discarded: the pager will be gone, and what is discarded then shows the file behind a private mapping.</summary>
    public void Leave()
    {
        lock (_leaving)
        {
            _isLeaving = true;
        }
    }

    /// <summary>Reads odd pages, and so what nobody of this client changes.</summary>
    public void Read(int seed, int accesses, CancellationToken stop)
    {
        if (!Space.OpenAccess().IsOkOrGone(out IMemoryAccess? access))
        {
            return;
        }

        using (access)
        {
            var random = new Random(seed);
            for (int i = 0; i < accesses && !stop.IsCancellationRequested; i++)
            {
                ulong offset = OffsetIn(random, odd: 1);
                Check(access!.Load(Range.Start + offset, out ulong value), offset, value, ChaosImage.WordAt(offset));
            }
        }
    }

    /// <summary>Reads, writes and discards even pages.</summary>
    public void Write(int seed, int accesses, CancellationToken stop)
    {
        if (!Space.OpenAccess().IsOkOrGone(out IMemoryAccess? access))
        {
            return;
        }

        using (access)
        {
            var random = new Random(seed);
            for (int i = 0; i < accesses && !stop.IsCancellationRequested; i++)
            {
                ulong offset = OffsetIn(random, odd: 0);
                int what = random.Next(10);
                if (what < 3 && Kind != RegionKind.SharedImage)
                {
                    ulong value = (ulong)random.NextInt64();
                    AccessResult stored = access!.Store(Range.Start + offset, value);
                    if (stored.IsOk)
                    {
                        _written[offset] = value;
                    }
                    else
                    {
                        Check(stored, offset, 0, 0);
                    }
                }
                else if (what == 3 && HasEvents && Kind != RegionKind.SharedImage)
                {
                    Discard(offset / PageSize.Small);
                }
                else
                {
                    Check(access!.Load(Range.Start + offset, out ulong value), offset, value, Expected(offset));
                }
            }
        }
    }

    public override string ToString() => $"{Paged.Name} ({Kind}{(HasEvents ? ", events" : string.Empty)}{(IsKilled ? ", killed" : string.Empty)})";

    public void Dispose()
    {
        Paged.Dispose();
        Space.Dispose();
    }

    /// <summary>What the writer's thread must find.</summary>
    private ulong Expected(ulong offset) =>
        _written.TryGetValue(offset, out ulong value) ? value
        : _discarded.Contains(offset / PageSize.Small) ? 0
        : ChaosImage.WordAt(offset);

    private void Discard(ulong page)
    {
        lock (_leaving)
        {
            if (_isLeaving || !Space.Advise(Range.Slice(page * PageSize.Small, PageSize.Small), Advice.DontNeed).IsOk)
            {
                return;
            }
        }

        _discarded.Add(page);
        for (ulong offset = page * PageSize.Small; offset < (page + 1) * PageSize.Small; offset += 8)
        {
            _written.Remove(offset);
        }
    }

    private void Check(AccessResult result, ulong offset, ulong value, ulong expected)
    {
        if (result.IsOk && value == expected)
        {
            verdict.NoteRight();
        }
        else if (result.Fault is AccessFault.BusError or AccessFault.HardwarePoison || (result.Fault == AccessFault.Killed && IsKilled))
        {
            verdict.NoteError();
        }
        else
        {
            verdict.NoteWrong($"{Paged.Name} ({Kind}): the word at 0x{offset:x} was {value:x} ({result.Fault}), and should be {expected:x}");
        }
    }

    private ulong OffsetIn(Random random, ulong odd)
    {
        ulong page = ((ulong)random.Next((int)(Range.Length / PageSize.Small / 2)) * 2) + odd;
        return (page * PageSize.Small) + ((ulong)random.Next(4) * 1000);
    }
}
