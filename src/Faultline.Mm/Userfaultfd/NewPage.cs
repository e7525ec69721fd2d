using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Fills with a new page: cases 1, 2 and 5 of <see cref="PteInstall"/> (Linux: <c>mfill_atomic_pte_copy</c>, <c>shmem_mfill_atomic_pte</c>).</summary>
internal static unsafe class NewPage
{
    /// <summary>A new private page (cases 1 and 2). The file, if there is one, is neither asked nor filled.</summary>
    /// <param name="context">The context.</param>
    /// <param name="vma">The mapping, prepared for anonymous pages.</param>
    /// <param name="address">The page's address.</param>
    /// <param name="table">The table there.</param>
    /// <param name="source">The bytes.</param>
    /// <param name="writeProtect">Whether to write-protect.</param>
    /// <param name="kept">A page filled by an earlier try, or the null folio; taken over, or set to the page that waits for its bytes.</param>
    /// <param name="needsFetch">Whether the bytes were not at hand; <paramref name="kept"/> is then to be filled without locks.</param>
    public static Errno FillPrivate<TSource>(
        UserfaultfdContext context, Vma vma, ulong address, PteTable table, TSource source, bool writeProtect, ref Folio kept, out bool needsFetch)
        where TSource : struct, IPageSource
    {
        MmSystem system = context.Mm.System;
        needsFetch = false;
        Folio folio = kept;
        kept = default;
        if (folio.IsNull)
        {
            folio = system.Pool.Allocate(system.Group);
            if (folio.IsNull)
            {
                return Errno.ENOMEM;
            }

            if (!source.TryFill(system.Pool.BytesOf(folio)))
            {
                kept = folio;
                needsFetch = true;
                return Errno.ENOENT;
            }
        }

        folio.Set(FolioFlags.UpToDate);
        Errno errno = PteInstall.Apply(context.Rule, vma, address, table, folio.Record, isNewlyAllocated: true, writeProtect);
        if (errno != Errno.None)
        {
            system.Pool.Put(folio);
        }

        return errno;
    }

    /// <summary>A new page of the file (case 5). Parameters as for <see cref="FillPrivate"/>.</summary>
    /// <remarks>
    /// Order of failures: the block (ENOMEM), the page, the bytes, the end of the file (EFAULT), the cache (EEXIST), the entry. While the bytes are fetched
    /// the block is given back; if it cannot be had again, the kept page goes too.
    /// </remarks>
    public static Errno FillShared<TSource>(
        UserfaultfdContext context, Vma vma, ulong address, PteTable table, TSource source, bool writeProtect, ref Folio kept, out bool needsFetch)
        where TSource : struct, IPageSource
    {
        MmSystem system = context.Mm.System;
        var file = (ShmemFile)vma.File!;
        ulong index = vma.IndexOf(address);
        needsFetch = false;
        Folio folio = kept;
        kept = default;
        if (!file.TryChargeBlock())
        {
            if (!folio.IsNull)
            {
                PutKept(system, folio);
            }

            return Errno.ENOMEM;
        }

        if (folio.IsNull)
        {
            folio = system.Pool.Allocate(system.Group);
            if (folio.IsNull)
            {
                file.UnchargeBlock();
                return Errno.ENOMEM;
            }

            if (!source.TryFill(system.Pool.BytesOf(folio)))
            {
                file.UnchargeBlock();
                kept = folio;
                needsFetch = true;
                return Errno.ENOENT;
            }
        }

        Errno errno = InsertAndInstall(context, vma, address, table, folio, index, writeProtect);
        if (errno != Errno.None)
        {
            GiveBackBlock(file);
            system.Pool.Put(folio);
        }

        return errno;
    }

    private static void PutKept(MmSystem system, Folio folio)
    {
        if (FillSteps.Of(system) is { } replaced)
        {
            replaced.PutKept(system.Pool, folio);
        }
        else
        {
            system.Pool.Put(folio);
        }
    }

    private static void GiveBackBlock(ShmemFile file)
    {
        if (FillSteps.Of(file.System) is { } replaced)
        {
            replaced.GiveBackBlock(file);
        }
        else
        {
            file.UnchargeBlock();
        }
    }

    private static Errno InsertAndInstall(
        UserfaultfdContext context, Vma vma, ulong address, PteTable table, Folio folio, ulong index, bool writeProtect)
    {
        var file = (ShmemFile)vma.File!;
        using RankedLock.Scope held = file.System.FolioLocks.Enter(folio);
        folio.Set(FolioFlags.UpToDate);
        if (index >= file.SizeInPages)
        {
            return Errno.EFAULT;
        }

        if (!file.TryInsert(folio, index))
        {
            return Errno.EEXIST;
        }

        Errno errno = PteInstall.Apply(context.Rule, vma, address, table, folio.Record, isNewlyAllocated: true, writeProtect);
        if (errno != Errno.None)
        {
            file.Remove(folio);
        }

        return errno;
    }
}
