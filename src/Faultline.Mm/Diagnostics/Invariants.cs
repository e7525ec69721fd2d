using System;
using System.Buffers;
using System.Collections.Generic;

namespace Faultline.Mm;

/// <summary>
/// Checks a whole engine against itself: what entries, caches and swap say of each frame must add up to what the frame says of itself, and
/// counters to what they count. The engine must be quiet: threads may sleep in faults, but nobody may be inside a call.
/// </summary>
internal sealed unsafe class Invariants
{
    private const int MostReported = 20;

    private readonly MmSystem _system;
    private readonly List<string> _violations = [];

    private readonly uint _frames;

    /// <summary>References and entries found, by frame.</summary>
    private readonly int[] _references;

    private readonly int[] _mappings;

    /// <summary>Huge entries found, by the folio's first frame.</summary>
    private readonly Dictionary<uint, int> _hugeMappings = [];

    /// <summary>References found, by swap slot.</summary>
    private readonly Dictionary<uint, int> _slotReferences = [];

    /// <summary>Pages that private hugetlb mappings have reserved and not used.</summary>
    public long HugetlbReserved { get; set; }

    /// <summary>Entries for the huge zero page that were found.</summary>
    public long HugeZeroEntries { get; set; }

    private Invariants(MmSystem system)
    {
        _system = system;
        _frames = (uint)system.Memory.PopulatedFrames;
        _references = RentCleared(_frames);
        _mappings = RentCleared(_frames);
    }

    // Arrays of this size are collected with the oldest generation, and a fuzzer asks hundreds of times a second.
    private static int[] RentCleared(uint length)
    {
        int[] array = ArrayPool<int>.Shared.Rent((int)length);
        array.AsSpan(0, (int)length).Clear();
        return array;
    }

    /// <summary>Finds what does not add up; in words, for a person.</summary>
    public static IReadOnlyList<string> Check(MmSystem system, IEnumerable<MmState> spaces)
    {
        var check = new Invariants(system);
        int tables = 0;
        foreach (MmState mm in spaces)
        {
            new SpaceInvariants(mm, check).Check();
            tables += mm.Table.TableCount;
        }

        system.Owners.ForEach<ShmemFile>(check.File);
        if (check.HugeZeroEntries != system.HugeZero.Users)
        {
            check.Report($"{check.HugeZeroEntries} entries map the huge zero page, and {system.HugeZero.Users} are counted.");
        }

        HugetlbInvariants.CheckPool(system, check);
        check.Frames(tables);
        foreach (string violation in system.Memory.FindViolations())
        {
            check.Report(violation);
        }

        ArrayPool<int>.Shared.Return(check._references);
        ArrayPool<int>.Shared.Return(check._mappings);
        return check._violations;
    }

    /// <summary>Notes a violation.</summary>
    public void Report(string violation)
    {
        if (_violations.Count < MostReported)
        {
            _violations.Add(violation);
        }
    }

    /// <summary>An entry maps a frame.</summary>
    public void FoundEntry(uint frame)
    {
        if (frame >= _frames)
        {
            Report($"An entry names frame {frame}, which does not exist.");
            return;
        }

        _references[_system.Memory.FolioAt(frame).Number]++;
        _mappings[frame]++;
    }

    /// <summary>A huge entry maps a whole folio.</summary>
    public void FoundHugeEntry(uint frame)
    {
        if (frame >= _frames || _system.Memory.FrameAt(frame)->Order != PhysicalMemory.HugeOrder)
        {
            Report($"A huge entry names frame {frame}, which is not the first of a huge folio.");
            return;
        }

        _references[frame]++;
        _hugeMappings[frame] = _hugeMappings.GetValueOrDefault(frame) + 1;
    }

    /// <summary>An entry of a page table or of a page cache refers to a swap slot.</summary>
    public void FoundSlot(SwapSlot slot) => _slotReferences[slot.Number] = _slotReferences.GetValueOrDefault(slot.Number) + 1;

    private void File(ShmemFile file)
    {
        ulong index = 0;
        ulong pages = 0;
        while (file.Cache.TryFindNext(index, out ulong found, out CacheEntry entry))
        {
            pages++;
            index = found + 1;
            if (entry.IsSwap)
            {
                FoundSlot(entry.Slot);
                continue;
            }

            Folio folio = _system.Memory.FolioAt(entry.FrameNumber);
            _references[folio.Number]++;
            if (folio.Record->Owner != file.OwnerHandle || folio.FrameAt(found) != entry.FrameNumber)
            {
                Report($"Page {found} of {file} is {folio}, which says it is page {folio.Index} of owner {folio.Record->Owner:x}.");
            }

            if (!folio.Has(FolioFlags.Lru))
            {
                Report($"Page {found} of {file}, {folio}, is on no LRU list.");
            }
        }

        if (file.Blocks != pages * (PageSize.Small / 512))
        {
            Report($"{file} has {pages} pages and is charged {file.Blocks} blocks.");
        }
    }

    /// <summary>A page cache refers to a folio.</summary>
    public void FoundInCache(Folio folio) => _references[folio.Number]++;

    private void Frames(int tables)
    {
        long charged = 0;
        int tableFrames = 0;
        uint inUse = 1;
        for (uint number = 1; number < _frames; number++)
        {
            Frame* frame = _system.Memory.FrameAt(number);
            var flags = (FolioFlags)frame->Flags;
            if (frame->RefCount == 0 || (flags & (FolioFlags.Reserved | FolioFlags.Tail)) != 0)
            {
                inUse += frame->RefCount != 0 ? 1U << frame->Order : 0U;
                if (_references[number] != 0)
                {
                    Report($"Frame {number} is free, and {_references[number]} entries refer to it.");
                }

                if ((flags & FolioFlags.Tail) != 0 && frame->MapCount != _mappings[number])
                {
                    Report($"Frame {number}, of a larger folio, is mapped by {_mappings[number]} entries, and counts {frame->MapCount}.");
                }

                continue;
            }

            inUse += 1U << frame->Order;
            if ((flags & FolioFlags.Table) != 0)
            {
                tableFrames++;
                continue;
            }

            charged += frame->Group == 0 ? 0 : 1L << frame->Order;
            Frame(number, frame, flags);
        }

        if (charged != _system.Group.ChargedPages)
        {
            Report($"{charged} pages in use are charged, and the group says {_system.Group.ChargedPages}.");
        }

        if (tableFrames != tables)
        {
            Report($"{tableFrames} frames hold tables, and the address spaces have {tables}.");
        }

        inUse += (uint)_system.Hugetlb.Counts.Free << PhysicalMemory.HugeOrder;
        uint accounted = inUse + _system.Pool.AvailableFrames;
        if (accounted != _system.Memory.FrameCount)
        {
            Report($"{inUse} frames are in use and {_system.Pool.AvailableFrames} free, which is not the {_system.Memory.FrameCount} there are.");
        }
    }

    private void Frame(uint number, Frame* frame, FolioFlags flags)
    {
        int expected = _references[number] + ((flags & FolioFlags.SwapCache) != 0 ? 1 : 0);
        if (frame->RefCount != expected)
        {
            Report($"{new Folio(frame)} should have {expected} references.");
        }

        if (frame->MapCount != _mappings[number])
        {
            Report($"{new Folio(frame)} is mapped by {_mappings[number]} entries, and counts {frame->MapCount}.");
        }

        int huge = _hugeMappings.GetValueOrDefault(number);
        if (frame->HugeMapCount != huge)
        {
            Report($"{new Folio(frame)} is mapped by {huge} huge entries, and counts {frame->HugeMapCount}.");
        }

        if ((flags & FolioFlags.Exclusive) != 0 && _mappings[number] + huge > 1)
        {
            Report($"{new Folio(frame)} is exclusive, and mapped {_mappings[number]} times.");
        }

        if ((flags & FolioFlags.SwapCache) != 0)
        {
            var slot = new SwapSlot(frame->Swap);
            int slotReferences = _slotReferences.GetValueOrDefault(slot.Number);
            int counted = _system.Swap.ReferencesOf(slot);
            if (counted != slotReferences)
            {
                Report($"Swap slot {slot.Number} counts {counted} references, and has {slotReferences}.");
            }
        }
    }
}
