using System.Runtime.CompilerServices;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Filling one page of a hugetlb mapping (Linux: <c>hugetlb_mfill_atomic_pte</c>). Under the lock of the page's index.</summary>
internal static unsafe class HugetlbFill
{
    /// <summary>COPY.</summary>
    /// <param name="vma">The mapping, prepared for anonymous pages if it is private.</param>
    /// <param name="address">The page's address.</param>
    /// <param name="source">The bytes.</param>
    /// <param name="writeProtect">Whether to write-protect.</param>
    /// <param name="kept">Ordinary memory with the bytes, fetched by an earlier try, or null; let go, or set to what waits for its bytes.</param>
    /// <param name="needsFetch">Whether the bytes were not at hand; <paramref name="kept"/> is then to be filled without locks.</param>
    public static Errno Copy<TSource>(Vma vma, ulong address, TSource source, bool writeProtect, ref Folio kept, out bool needsFetch)
        where TSource : struct, IPageSource
    {
        var file = (HugetlbFile)vma.File!;
        MmSystem system = file.System;
        ulong index = HugetlbFile.IndexOf(vma, address);
        using RankedLock.Scope held = file.EnterIndex(index);
        needsFetch = false;
        Folio fetched = kept;
        kept = default;
        Errno errno = CheckPlace(vma, address, file, index);
        if (errno == Errno.None)
        {
            errno = system.Hugetlb.Take(file.ReservationOf(vma), index, out Folio folio);
            errno = errno == Errno.ENOSPC ? Errno.ENOMEM : errno;
            if (errno == Errno.None)
            {
                errno = FillTaken(vma, address, file, index, folio, fetched, source, writeProtect, out needsFetch);
            }
        }

        if (!fetched.IsNull)
        {
            system.Pool.Put(fetched);
        }

        if (needsFetch)
        {
            kept = system.Pool.Allocate(system.Group, PhysicalMemory.HugeOrder);
            return kept.IsNull ? Errno.ENOMEM : Errno.ENOENT;
        }

        return errno;
    }

    /// <summary>CONTINUE.</summary>
    public static Errno Continue(Vma vma, ulong address, bool writeProtect)
    {
        var file = (HugetlbFile)vma.File!;
        ulong index = HugetlbFile.IndexOf(vma, address);
        using RankedLock.Scope held = file.EnterIndex(index);
        if (!file.TryGetFolio(index, out Folio folio))
        {
            return Errno.EFAULT;
        }

        Errno errno = Install(vma, address, folio, isFromCache: true, writeProtect);
        if (errno != Errno.None)
        {
            file.System.Pool.Put(folio);
        }

        return errno;
    }

    /// <summary>POISON. The end of the file is not looked at.</summary>
    public static Errno Poison(Vma vma, ulong address)
    {
        PteTable table = vma.Mm.Table.EnsureMiddle(address);
        if (table.IsNull)
        {
            return Errno.ENOMEM;
        }

        var file = (HugetlbFile)vma.File!;
        using RankedLock.Scope held = file.EnterIndex(HugetlbFile.IndexOf(vma, address));
        using RankedLock.Scope tableLock = file.System.TableLocks.Enter(table);
        ulong* slot = table.MiddleEntryFor(address);
        if (!Pte.Read(slot).IsNone)
        {
            return Errno.EEXIST;
        }

        Pte.Write(slot, Pte.ForMarker(PteMarker.Poison));
        return Errno.None;
    }

    /// <summary>Whether there is room for a new page: no entry but a marker, and for a file's page nothing in its cache.</summary>
    private static Errno CheckPlace(Vma vma, ulong address, HugetlbFile file, ulong index)
    {
        PteTable table = vma.Mm.Table.EnsureMiddle(address);
        if (table.IsNull)
        {
            return Errno.ENOMEM;
        }

        bool isFree = Pte.Read(table.MiddleEntryFor(address)).IsNoneMostly && !(vma.IsShared && !file.Cache.Find(index).IsNone);
        return isFree ? Errno.None : Errno.EEXIST;
    }

    private static Errno FillTaken<TSource>(
        Vma vma, ulong address, HugetlbFile file, ulong index, Folio folio, Folio fetched, TSource source, bool writeProtect, out bool needsFetch)
        where TSource : struct, IPageSource
    {
        byte* bytes = file.System.Pool.BytesOf(folio);
        needsFetch = fetched.IsNull && !source.TryFill(bytes);
        Errno errno = Errno.ENOENT;
        if (!needsFetch)
        {
            if (!fetched.IsNull)
            {
                Unsafe.CopyBlock(bytes, file.System.Pool.BytesOf(fetched), (uint)PageSize.Huge);
            }

            folio.Set(FolioFlags.UpToDate);
            errno = vma.IsShared ? InsertAndInstall(vma, address, file, index, folio, writeProtect)
                : Install(vma, address, folio, isFromCache: false, writeProtect);
        }

        if (errno != Errno.None)
        {
            file.System.Hugetlb.Undo(file.ReservationOf(vma), index, folio);
        }

        return errno;
    }

    private static Errno InsertAndInstall(Vma vma, ulong address, HugetlbFile file, ulong index, Folio folio, bool writeProtect)
    {
        if (!file.TryInsert(folio, index))
        {
            return Errno.EFAULT;
        }

        Errno errno = Install(vma, address, folio, isFromCache: false, writeProtect);
        if (errno != Errno.None)
        {
            file.Remove(folio, index);
            file.System.Hugetlb.ReleasePage(file.Reservation, index);
        }

        return errno;
    }

    /// <summary>
    /// The rule of hugetlb: dirty and accessed always; writable unless write-protected, or a page of the file in a private mapping. On success the
    /// entry has taken over the caller's reference.
    /// </summary>
    private static Errno Install(Vma vma, ulong address, Folio folio, bool isFromCache, bool writeProtect)
    {
        PteTable table = vma.Mm.Table.EnsureMiddle(address);
        if (table.IsNull)
        {
            return Errno.ENOMEM;
        }

        using RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(table);
        ulong* slot = table.MiddleEntryFor(address);
        if (!Pte.Read(slot).IsNoneMostly)
        {
            return Errno.EEXIST;
        }

        if (isFromCache || vma.IsShared)
        {
            HugetlbEntry.AddMapping(folio);
        }
        else
        {
            HugetlbEntry.AddNewAnonymous(folio, vma, address);
        }

        Pte entry = HugetlbEntry.For(vma, folio, wantWritable: !writeProtect && !(isFromCache && !vma.IsShared)).With(Pte.Dirty);
        Pte.Write(slot, writeProtect ? entry.WithWriteProtection() : entry);
        return Errno.None;
    }
}
