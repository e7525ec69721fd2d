using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>mmap(2) (Linux: <c>do_mmap</c>, <c>mmap_region</c>).</summary>
internal static class Mmap
{
    /// <summary>Nothing is placed below, unless it is asked for (Linux: <c>vm.mmap_min_addr</c>).</summary>
    private const ulong LowestAddress = 0x10000;

    /// <summary>Where placing from the top down begins: under the room that Linux leaves for the stack.</summary>
    private const ulong PlacementTop = 0x7FFF_F000_0000;

    public static SystemResult<VirtualAddress> Run(MmState mm, in MapRequest request)
    {
        Errno errno = Check(in request, out ulong length);
        if (errno != Errno.None)
        {
            return new(default, errno);
        }

        var file = (FileHandle?)request.File;
        VmaFlags flags = FlagsOf(in request);
        if (file is not null)
        {
            errno = file.CheckMapping(ref flags, request.Protection);
            if (errno != Errno.None)
            {
                return new(default, errno != Errno.EBADF && IsTaken(mm, in request, length) ? Errno.EEXIST : errno);
            }
        }

        BackingFile? backing = file?.File ?? NewBacking(mm.System, flags, length);
        bool isOwned = file is null && backing is not null;
        var events = new EventList();
        SystemResult<ulong> placed;

        // A hugetlb file becomes as long as its mapping.
        using (RankedLock.Scope fileLock = backing is HugetlbFile ? backing.Lock.Enter() : default)
        using (RankedSharedLock.WriteScope held = mm.Lock.EnterWriteBesideFaults())
        {
            placed = MapLocked(mm, in request, length, flags, backing, isOwned ? 0 : request.Offset >> PageSize.SmallShift, events);
        }

        if (isOwned)
        {
            // The mapping, if there is one, keeps it from here on.
            backing!.RemoveReference();
        }

        events.TellAll();
        if (placed.IsOk && (request.Options & (MapOptions.Populate | MapOptions.Locked)) != 0 && (flags & VmaFlags.Access) != 0)
        {
            // What cannot be populated is left to faults: mmap has succeeded.
            bool isWrite = (flags & (VmaFlags.Write | VmaFlags.Shared)) == VmaFlags.Write;
            _ = Populate.Range(mm, placed.Value, placed.Value + length, isWrite);
        }

        return new(new VirtualAddress(placed.Value), placed.Errno);
    }

    // The place is found before the file is asked (Linux: do_mmap).
    private static bool IsTaken(MmState mm, in MapRequest request, ulong length)
    {
        using RankedSharedLock.ReadScope held = mm.Lock.EnterRead();
        return (request.Options & MapOptions.FixedNoReplace) != 0 && !IsFree(mm, request.Address.Value, length);
    }

    /// <summary>The file of memory that is shared or made of huge pages, but of no file that anybody has named.</summary>
    private static BackingFile? NewBacking(MmSystem system, VmaFlags flags, ulong length) =>
        (flags & VmaFlags.HugeTlb) != 0 ? new HugetlbFile(system, "anonymous huge pages", length)
        : (flags & VmaFlags.Shared) != 0 ? new ShmemFile(system, "shared anonymous memory", length, limitBytes: 0)
        : null;

    private static bool IsHugetlb(in MapRequest request) =>
        request.File is null ? (request.Options & MapOptions.HugeTlb) != 0 : ((FileHandle)request.File).File.IsHugetlb;

    private static Errno Check(in MapRequest request, out ulong length)
    {
        ulong unit = IsHugetlb(in request) ? PageSize.Huge : PageSize.Small;
        length = (request.Length + (unit - 1)) & ~(unit - 1);
        MapOptions options = request.Options;
        bool isFixed = (options & (MapOptions.Fixed | MapOptions.FixedNoReplace)) != 0;
        MapOptions sharing = options & (MapOptions.Shared | MapOptions.Private);
        if (request.File is null != ((options & MapOptions.Anonymous) != 0))
        {
            if (request.File is null)
            {
                return Errno.EBADF;
            }
        }

        if (request.Length == 0)
        {
            return Errno.EINVAL;
        }

        if (length == 0 || length > PageTable.UserEnd)
        {
            return Errno.ENOMEM;
        }

        if ((request.Offset & (PageSize.Small - 1)) != 0 || sharing is not (MapOptions.Shared or MapOptions.Private))
        {
            return Errno.EINVAL;
        }

        if (request.Offset + length < request.Offset)
        {
            return Errno.EOVERFLOW;
        }

        if (request.File is not null && unit == PageSize.Small && (options & MapOptions.HugeTlb) != 0)
        {
            return Errno.EINVAL;
        }

        if (!isFixed)
        {
            return Errno.None;
        }

        ulong address = request.Address.Value;
        return address > PageTable.UserEnd - length ? Errno.ENOMEM
            : (address & (unit - 1)) != 0 ? Errno.EINVAL
            : Errno.None;
    }

    /// <summary>Of these, only <see cref="VmaFlags.Write"/> (Linux: <c>accountable_mapping</c>).</summary>
    private const VmaFlags Accountable = VmaFlags.NoReserve | VmaFlags.Shared | VmaFlags.Write;

    private static VmaFlags FlagsOf(in MapRequest request)
    {
        VmaFlags flags = Mprotect.FlagsOf(request.Protection) | VmaFlags.MayRead | VmaFlags.MayWrite | VmaFlags.MayExecute;
        if ((request.Options & MapOptions.Shared) != 0)
        {
            flags |= VmaFlags.Shared;
        }

        if (IsHugetlb(in request))
        {
            // Never swapped, so never locked.
            return (request.Options & MapOptions.NoReserve) != 0 ? flags | VmaFlags.HugeTlb | VmaFlags.NoReserve : flags | VmaFlags.HugeTlb;
        }

        if ((request.Options & MapOptions.NoReserve) != 0)
        {
            flags |= VmaFlags.NoReserve;
        }

        if ((flags & Accountable) == VmaFlags.Write)
        {
            flags |= VmaFlags.Account;
        }

        if ((request.Options & MapOptions.Locked) != 0)
        {
            flags |= VmaFlags.Locked;
        }

        return flags;
    }

    private static SystemResult<ulong> MapLocked(
        MmState mm, in MapRequest request, ulong length, VmaFlags flags, BackingFile? file, ulong filePage, EventList events)
    {
        Errno errno = Place(mm, in request, length, events, out ulong address);
        if (errno != Errno.None)
        {
            return new(0, errno);
        }

        ulong pageOffset = file is null ? address >> PageSize.SmallShift : filePage;
        var vma = new Vma(mm, address, address + length, flags, pageOffset, file);
        if (file is HugetlbFile hugetlb)
        {
            errno = HugetlbMap.Prepare(vma, hugetlb);
            if (errno != Errno.None)
            {
                return new(0, errno);
            }
        }

        // The neighbours, which the new mapping may be merged with.
        mm.VmaLocks.StartWriteAround(mm.Vmas, address, address + length);
        VmaMerge.Link(vma);
        if (vma.Has(VmaFlags.Locked))
        {
            mm.LockedPages += length >> PageSize.SmallShift;
        }

        VmaMerge.MergeWithNeighbours(vma);
        return new(address, Errno.None);
    }

    private static Errno Place(MmState mm, in MapRequest request, ulong length, EventList events, out ulong address)
    {
        address = request.Address.Value;
        if ((request.Options & MapOptions.FixedNoReplace) != 0)
        {
            return IsFree(mm, address, length) ? CheckLimit(mm) : Errno.EEXIST;
        }

        if ((request.Options & MapOptions.Fixed) != 0)
        {
            Errno errno = CheckLimit(mm);
            return errno != Errno.None ? errno : Munmap.RangeLocked(mm, address, address + length, events);
        }

        // A hint is taken if it can be.
        ulong unit = IsHugetlb(in request) ? PageSize.Huge : PageSize.Small;
        address = (address + (unit - 1)) & ~(unit - 1);
        bool isHintFree = address >= LowestAddress && address <= PageTable.UserEnd - length && IsFree(mm, address, length);
        if (!isHintFree)
        {
            address = FindGap(mm, length, unit);
        }

        return address == 0 ? Errno.ENOMEM : CheckLimit(mm);
    }

    /// <summary>The highest free range of a length, or zero.</summary>
    /// <param name="mm">The address space.</param>
    /// <param name="length">The length.</param>
    /// <param name="unit">The size of the mapping's pages, which the address must be a multiple of.</param>
    public static ulong FindGap(MmState mm, ulong length, ulong unit)
    {
        // Large mappings are aligned so that huge pages fit (Linux: thp_get_unmapped_area).
        ulong alignment = length >= PageSize.Huge ? PageSize.Huge : PageSize.Small;
        ulong address = mm.Vmas.FindGap(length, alignment, LowestAddress, PlacementTop);
        return address != 0 ? address : mm.Vmas.FindGap(length, unit, LowestAddress, PageTable.UserEnd);
    }

    public static bool IsFree(MmState mm, ulong address, ulong length) =>
        mm.Vmas.FindFrom(address) is not { } next || next.Start >= address + length;

    private static Errno CheckLimit(MmState mm) => mm.Vmas.Count >= mm.System.MappingLimit ? Errno.ENOMEM : Errno.None;
}
