using System;
using System.Runtime.InteropServices;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Taking pages out of a file: the end cut off, a hole punched, the file gone (Linux: <c>shmem_undo_range</c>, <c>mm/truncate.c</c>).</summary>
internal static unsafe class Truncate
{
    /// <summary>Cuts a file to a size. Under the file lock. The size goes first, so that no new entry can come beyond it.</summary>
    public static void To(ShmemFile file, ulong size)
    {
        ulong old = file.Size;
        file.SetSize(size);
        if (size >= old)
        {
            return;
        }

        ulong firstGone = PageCount.FromBytes(size).Value;
        Zap.FileRange(file, firstGone, ulong.MaxValue >> PageSize.SmallShift, ZapOptions.PrivateCopies);
        RemovePages(file, firstGone, ulong.MaxValue);
        ClearWithin(file, size, Math.Min(firstGone << PageSize.SmallShift, old));
        Zap.FileRange(file, firstGone, ulong.MaxValue >> PageSize.SmallShift, ZapOptions.PrivateCopies);
    }

    /// <summary>Makes a hole. Under the file lock. Private copies, and markers, stay.</summary>
    public static void Punch(ShmemFile file, ulong start, ulong end)
    {
        ulong firstWhole = PageCount.FromBytes(start).Value;
        ulong endWhole = end >> PageSize.SmallShift;
        if (firstWhole >= endWhole)
        {
            // No whole page; the range lies in one page, or in the ends of two.
            ulong border = Math.Min(end, firstWhole << PageSize.SmallShift);
            ClearWithin(file, start, border);
            ClearWithin(file, border, end);
            return;
        }

        Zap.FileRange(file, firstWhole, endWhole, ZapOptions.None);
        RemovePages(file, firstWhole, endWhole);
        ClearWithin(file, start, firstWhole << PageSize.SmallShift);
        ClearWithin(file, endWhole << PageSize.SmallShift, end);
    }

    /// <summary>Removes every page and swap slot with an index in a range.</summary>
    public static void RemovePages(ShmemFile file, ulong first, ulong end)
    {
        ulong index = first;
        while (index < end && file.Cache.TryFindNext(index, out ulong found, out CacheEntry entry) && found < end)
        {
            index = found;
            if (entry.IsSwap)
            {
                if (file.Cache.TryRemove(found, entry))
                {
                    SwapIo.RemoveReference(file.System, entry.Slot);
                    file.UnchargeBlock();
                    index++;
                }
            }
            else if (TryRemoveFolio(file, found, first, end))
            {
                index++;
            }
        }
    }

    /// <summary>Removes the folio at an index; one that reaches beyond the range is split instead.</summary>
    /// <returns>Whether nothing is left at the index.</returns>
    private static bool TryRemoveFolio(ShmemFile file, ulong index, ulong first, ulong end)
    {
        FolioPool pool = file.System.Pool;
        if (!file.Cache.TryGetFolio(index, pool, out Folio folio, out CacheEntry entry))
        {
            return entry.IsNone;
        }

        bool isGone;
        using (RankedLock.Scope held = file.System.FolioLocks.Enter(folio))
        {
            isGone = file.Cache.Holds(index, entry, folio);
            if (isGone && (folio.Index < first || folio.Index + (ulong)folio.FrameCount > end))
            {
                ShmemHugePage.Split(file, folio);
                isGone = false;
            }

            if (isGone)
            {
                // A fault that found the page before us has mapped it under this lock; nobody can after us.
                ShmemHugePage.Unmap(file, folio);
                folio.Clear(FolioFlags.Dirty);
                for (int i = folio.FrameCount; i > 0; i--)
                {
                    file.UnchargeBlock();
                }

                file.Remove(folio);
            }
        }

        pool.Put(folio);
        return isGone;
    }

    /// <summary>Clears bytes that lie in one page, if the page exists.</summary>
    private static void ClearWithin(ShmemFile file, ulong start, ulong end)
    {
        if (start >= end)
        {
            return;
        }

        ulong index = start >> PageSize.SmallShift;
        if (file.GetFolio(index, ShmemLookup.Read, out Folio folio, out RankedLock.Scope held) != Errno.None || folio.IsNull)
        {
            return;
        }

        ulong offset = start & (PageSize.Small - 1);
        NativeMemory.Clear(file.System.Memory.BytesAt(folio.FrameAt(index)) + offset, (nuint)(end - start));
        folio.Set(FolioFlags.Dirty);
        held.Dispose();
        file.System.Pool.Put(folio);
    }
}
