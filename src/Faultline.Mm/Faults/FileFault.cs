using System;
using System.Runtime.CompilerServices;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>A page of a file that has no entry (Linux: <c>do_fault</c> with <c>shmem_fault</c>).</summary>
internal static unsafe class FileFault
{
    /// <summary>The pages that a read fault maps along, if they are in the cache: the aligned 64 KiB around (Linux: <c>fault_around_bytes</c>).</summary>
    private const ulong AroundBytes = 16 * PageSize.Small;

    public static FaultResult Handle(ref FaultRequest request)
    {
        Vma vma = request.Vma;
        var file = (ShmemFile)vma.File!;
        ulong index = vma.IndexOf(request.Page);
        if (request.IsWrite && !vma.IsShared)
        {
            // First of all, even if the page is beyond the end or has to be asked for (Linux: do_cow_fault): a fork copies entries by this.
            AnonVmaChain.Prepare(vma);
        }

        // The neighbours come first, even if the page itself turns out to be beyond the end of the file.
        if (CanMapAround(ref request) && TryMapAround(ref request, file))
        {
            return FaultResult.Done;
        }

        if (index >= file.SizeInPages)
        {
            return FaultResult.BusError;
        }

        CacheEntry cached = file.Cache.Find(index);
        if (!cached.IsNone && vma.Has(VmaFlags.UserfaultfdMinor))
        {
            // Before any swap-in: CONTINUE does that.
            return UserfaultfdFault.Handle(ref request, PageFaultKind.Minor);
        }

        if (cached.IsNone && vma.Has(VmaFlags.UserfaultfdMissing))
        {
            return UserfaultfdFault.Handle(ref request, PageFaultKind.Missing);
        }

        Errno errno = file.GetFolio(index, ShmemLookup.Cache, out Folio folio, out RankedLock.Scope held);
        if (errno != Errno.None)
        {
            return errno switch
            {
                Errno.ENOMEM => FaultResult.OutOfMemory,
                _ => FaultResult.BusError,
            };
        }

        FaultResult result = request.IsWrite && !vma.IsShared
            ? CopyOut(ref request, folio)
            : Map(ref request, folio);
        held.Dispose();
        if (result != FaultResult.Done || (request.IsWrite && !vma.IsShared))
        {
            file.System.Pool.Put(folio);
        }

        return result;
    }

    /// <summary>Maps the page itself. The folio is locked, and in the file.</summary>
    private static FaultResult Map(ref FaultRequest request, Folio folio)
    {
        Vma vma = request.Vma;
        using RankedLock.Scope held = request.System.TableLocks.Enter(request.Table);
        if (Pte.Read(request.Slot) != request.Entry)
        {
            return FaultResult.Retry;
        }

        ulong huge = request.Page & ~(PageSize.Huge - 1);

        // By the folio that is locked: the cache may be about to get another.
        bool isWhole = folio.Order == PhysicalMemory.HugeOrder && !vma.IsArmed && huge >= vma.Start && huge + PageSize.Huge <= vma.End
            && folio.Index == vma.IndexOf(huge) && IsEmpty(request.Table);
        Frame* frame = folio.Record + (vma.IndexOf(request.Page) - folio.Index);
        ulong flags = vma.PageRights;
        if (request.IsWrite)
        {
            // The page says so too, not only its entry (Linux: fault_dirty_shared_page).
            flags |= Pte.Writable | Pte.Dirty;
            folio.Set(FolioFlags.Dirty);
        }

        Rmap.AddFile(frame);
        request.Mm.Counters.Add(MmCounters.KindOf(folio), 1);
        var entry = Pte.ForFrame(frame->Number, flags);
        Pte.Write(request.Slot, request.Entry.IsWriteProtected ? entry.WithWriteProtection() : entry);
        for (uint i = 0; isWhole && i < PteTable.Length; i++)
        {
            // All of a huge page at once, if nothing of it is mapped (Linux: finish_fault).
            if (huge + (i << PageSize.SmallShift) != request.Page)
            {
                folio.Get();
                Rmap.AddFile(folio.Record + i);
                request.Mm.Counters.Add(MmCounters.KindOf(folio), 1);
                Pte.Write(request.Table.Entries + i, Pte.ForFrame(folio.Number + i, flags));
            }
        }

        return FaultResult.Done;
    }

    /// <summary>Whether a huge page of the file has its place, aligned and whole, around an address of a mapping.</summary>
    private static bool IsHugeWithin(Vma vma, ShmemFile file, ulong address)
    {
        ulong start = address & ~(PageSize.Huge - 1);
        return start >= vma.Start && start + PageSize.Huge <= vma.End && (vma.IndexOf(start) & (PteTable.Length - 1)) == 0
            && ShmemHugePage.IsAt(file, vma.IndexOf(start));
    }

    private static bool IsEmpty(PteTable table)
    {
        for (uint i = 0; i < PteTable.Length; i++)
        {
            if (!Pte.Read(table.Entries + i).IsNone)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A write to a private mapping: its own copy at once (Linux: <c>do_cow_fault</c>).</summary>
    private static FaultResult CopyOut(ref FaultRequest request, Folio folio)
    {
        MmSystem system = request.System;
        AnonVmaChain.Prepare(request.Vma);
        Folio copy = system.Pool.Allocate(system.Group);
        if (copy.IsNull)
        {
            return FaultResult.OutOfMemory;
        }

        uint source = folio.Number + (uint)(request.Vma.IndexOf(request.Page) - folio.Index);
        Unsafe.CopyBlock(system.Pool.BytesOf(copy), system.Memory.BytesAt(source), (uint)PageSize.Small);
        copy.Set(FolioFlags.UpToDate);
        if (NewAnonymousEntry.TryInstall(ref request, copy))
        {
            return FaultResult.Done;
        }

        system.Pool.Put(copy);
        return FaultResult.Retry;
    }

    /// <summary>Whether a read fault would map something along, so that it needs a table even where it fails itself.</summary>
    public static bool MapsAround(ref FaultRequest request, ShmemFile file)
    {
        (ulong start, ulong end) = Around(ref request, file);
        bool isAny = false;
        for (ulong address = start; CanMapAround(ref request) && address < end && !isAny; address += PageSize.Small)
        {
            ulong index = request.Vma.IndexOf(address);
            isAny = index < file.SizeInPages && !file.Cache.Find(index).IsNone;
        }

        return isAny;
    }

    private static bool CanMapAround(ref FaultRequest request) =>
        !request.IsWrite && !request.Vma.Has(VmaFlags.UserfaultfdMinor | VmaFlags.UserfaultfdWriteProtect);

    // A huge page is mapped along as a whole, even beyond the end of the file, if the usual neighbours are not all beyond it (6.18).
    private static (ulong Start, ulong End) Around(ref FaultRequest request, ShmemFile file)
    {
        Vma vma = request.Vma;
        ulong table = request.Page & ~(PageSize.Huge - 1);
        ulong first = Math.Max(request.Page & ~(AroundBytes - 1), vma.Start);
        if (vma.IndexOf(first) < file.SizeInPages && IsHugeWithin(vma, file, request.Page))
        {
            return (table, table + PageSize.Huge);
        }

        ulong start = Math.Max(Math.Max(request.Page & ~(AroundBytes - 1), vma.Start), table);
        return (start, Math.Min(Math.Min(start + AroundBytes, vma.End), table + PageSize.Huge));
    }

    /// <summary>Maps the neighbours that are there and not busy (Linux: <c>do_fault_around</c>).</summary>
    /// <returns>Whether the page of the fault is among them.</returns>
    private static bool TryMapAround(ref FaultRequest request, ShmemFile file)
    {
        (ulong start, ulong end) = Around(ref request, file);
        for (ulong address = start; address < end; address += PageSize.Small)
        {
            if (Pte.Read(request.Table.EntryFor(address)).IsNone)
            {
                TryMapNeighbour(ref request, file, address, isWhole: end - start == PageSize.Huge);
            }
        }

        return Pte.Read(request.Slot) is { IsPresent: true };
    }

    private static void TryMapNeighbour(ref FaultRequest request, ShmemFile file, ulong address, bool isWhole)
    {
        Vma vma = request.Vma;
        MmSystem system = request.System;
        ulong index = vma.IndexOf(address);
        bool isBeyond = index >= file.SizeInPages && !isWhole;
        if (isBeyond || !file.Cache.TryGetFolio(index, system.Pool, out Folio folio, out CacheEntry cached))
        {
            return;
        }

        bool isMapped = false;
        using (RankedLock.Scope folioLock = system.FolioLocks.TryEnter(folio))
        {
            if (folioLock.IsHeld && folio.Has(FolioFlags.UpToDate) && file.Cache.Holds(index, cached, folio))
            {
                using RankedLock.Scope held = system.TableLocks.Enter(request.Table);
                ulong* slot = request.Table.EntryFor(address);
                isMapped = Pte.Read(slot).IsNone;
                if (isMapped)
                {
                    Rmap.AddFile(system.Memory.FrameAt(cached.FrameNumber));
                    request.Mm.Counters.Add(MmCounters.KindOf(folio), 1);
                    Pte.Write(slot, Pte.ForFrame(cached.FrameNumber, vma.PageRights));
                }
            }
        }

        if (!isMapped)
        {
            system.Pool.Put(folio);
        }
    }
}
