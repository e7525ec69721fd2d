using System.Collections.Generic;
using System.Threading;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// The huge pages that were set aside, and the promises made on them (Linux: <c>struct hstate</c>, <c>mm/hugetlb.c</c>). A page is taken against a
/// reservation, or from what is left over when all reservations are served.
/// </summary>
/// <remarks>
/// A reservation that comes back into force with a page (<see cref="RestoreOnReturn"/>) counts at once, while the page itself is still on its way:
/// until it is here, whoever needs it is told to try again. So what is promised is always covered by what is free or returning.
/// </remarks>
internal sealed unsafe class HugetlbPool
{
    private readonly FolioPool _folios;
    private readonly RankedLock _lock = new(LockRank.MmHugetlbPool);

    /// <summary>First frames of free pages; the one freed last is the warmest. Guard: <see cref="_lock"/>.</summary>
    private readonly Stack<uint> _free = [];

    /// <summary>Pages promised and not yet taken. Guard: <see cref="_lock"/>.</summary>
    private long _reserved;

    /// <summary>Pages on their way back that are promised already. Guard: <see cref="_lock"/>.</summary>
    private long _returning;

    public HugetlbPool(FolioPool folios, int pages)
    {
        _folios = folios;
        Total = pages;
        uint[] numbers = new uint[pages];
        for (int i = 0; i < pages; i++)
        {
            Folio folio = folios.AllocateUncharged(PhysicalMemory.HugeOrder);
            if (folio.IsNull)
            {
                throw new MemoryEngineException(
                    $"Setting {pages} huge pages aside", default, Errno.ENOMEM, $"There was room for {i}: give the engine more memory, or fewer huge pages.");
            }

            folio.Record->Flags = (int)FolioFlags.Hugetlb;
            Volatile.Write(ref folio.Record->RefCount, 0);
            numbers[i] = folio.Number;
        }

        for (int i = pages - 1; i >= 0; i--)
        {
            _free.Push(numbers[i]);
        }

        folios.ReturnHugetlb = Return;
    }

    /// <summary>The pages there are (Linux: <c>nr_hugepages</c>). Never changes.</summary>
    public int Total { get; }

    public HugePageCounts Counts
    {
        get
        {
            using RankedLock.Scope held = _lock.Enter();
            return new(Total, _free.Count, (int)_reserved);
        }
    }

    /// <summary>Reserves pages for a range of a file or of a private mapping (Linux: <c>hugetlb_reserve_pages</c>).</summary>
    /// <returns>Whether there were enough; if not, nothing is reserved.</returns>
    public bool TryReserve(HugetlbReservation reservation, ulong first, ulong end)
    {
        using RankedLock.Scope held = _lock.Enter();
        ulong pages = end - first;
        if (reservation.IsShared)
        {
            pages -= (ulong)reservation.CountIn(first, end);
        }

        long available = _free.Count + _returning - _reserved;
        if (available < 0 || pages > (ulong)available)
        {
            return false;
        }

        _reserved += (long)pages;
        for (ulong index = first; reservation.IsShared && index < end; index++)
        {
            reservation.Note(index);
        }

        return true;
    }

    /// <summary>Takes a page (Linux: <c>alloc_hugetlb_folio</c>). Its bytes are undefined.</summary>
    /// <param name="reservation">What the mapping or file has reserved; null for nothing.</param>
    /// <param name="index">The page's index.</param>
    /// <param name="folio">The page, with one reference. Give it back by <see cref="Undo"/> as long as nothing has come of it, or <see cref="Keep"/>
    /// it, or <see cref="KeepInFile"/>.</param>
    /// <returns>ENOSPC, or EAGAIN if a page is on its way back.</returns>
    public Errno Take(HugetlbReservation? reservation, ulong index, out Folio folio)
    {
        folio = default;
        using RankedLock.Scope held = _lock.Enter();
        bool isReserved = reservation is not null && reservation.IsKeptFor(index);
        if (!isReserved && _free.Count + _returning <= _reserved)
        {
            return Errno.ENOSPC;
        }

        if (_free.Count == 0)
        {
            return _returning > 0 ? Errno.EAGAIN : Errno.ENOSPC;
        }

        folio = _folios.Memory.FolioAt(_free.Pop());
        Frame* head = folio.Record;
        head->Owner = 0;
        head->Index = 0;
        head->Flags = (int)(isReserved ? FolioFlags.Hugetlb | FolioFlags.RestoreReserve : FolioFlags.Hugetlb);
        if (isReserved)
        {
            _reserved--;
        }

        // A file's note is of what is reserved or there: until the page is there it is neither, or a cut of the end meanwhile would
        // release the reservation a second time.
        if (reservation is { IsShared: true })
        {
            reservation.Forget(index);
        }
        else
        {
            reservation?.Note(index);
        }

        // Last, and visible last: a look-up that still holds the number may take a reference from here on, and then looks again.
        Volatile.Write(ref head->RefCount, 1);
        return Errno.None;
    }

    /// <summary>The page has found its place: its reservation is used up.</summary>
    public static void Keep(Folio folio) => folio.Clear(FolioFlags.RestoreReserve);

    /// <summary>The page has found its place in a file (Linux: <c>vma_commit_reservation</c>). Under the lock of its index.</summary>
    public void KeepInFile(HugetlbReservation reservation, ulong index, Folio folio)
    {
        using RankedLock.Scope held = _lock.Enter();
        if (!reservation.Note(index))
        {
            // A mapping made meanwhile has reserved the page for this index: here it is.
            _reserved--;
        }

        Keep(folio);
    }

    /// <summary>
    /// Gives back a page of <see cref="Take"/> that has found no place, with its reservation (Linux: <c>restore_reserve_on_error</c>).
    /// </summary>
    public void Undo(HugetlbReservation? reservation, ulong index, Folio folio)
    {
        using (RankedLock.Scope held = _lock.Enter())
        {
            if (folio.Has(FolioFlags.RestoreReserve))
            {
                if (reservation!.IsShared ? reservation.Note(index) : reservation.Forget(index))
                {
                    _reserved++;
                    _returning++;
                }
                else
                {
                    // A mapping made meanwhile has reserved a page for this index: one is enough.
                    Keep(folio);
                }
            }
        }

        _folios.Put(folio);
    }

    /// <summary>
    /// The only mapping of a private page lets go of it: when the page is back, it is reserved for the mapping again (Linux: in
    /// <c>__unmap_hugepage_range</c>).
    /// </summary>
    public void RestoreOnReturn(HugetlbReservation reservation, ulong index, Folio folio)
    {
        using RankedLock.Scope held = _lock.Enter();
        if (reservation.Forget(index))
        {
            folio.Set(FolioFlags.RestoreReserve);
            _reserved++;
            _returning++;
        }
    }

    /// <summary>A part of a private mapping is gone: what it did not use is free for others (Linux: <c>hugetlb_vm_op_close</c>).</summary>
    public void ReleaseMapping(HugetlbReservation reservation, ulong first, ulong end)
    {
        using RankedLock.Scope held = _lock.Enter();
        _reserved -= (long)(end - first) - reservation.ForgetRange(first, end);
    }

    /// <summary>The end of a file is cut off: reservations beyond go (Linux: <c>hugetlb_unreserve_pages</c>).</summary>
    /// <param name="reservation">The file's.</param>
    /// <param name="first">The first index.</param>
    /// <param name="pagesRemoved">Pages that were there: they had used their reservations.</param>
    public void ReleaseEnd(HugetlbReservation reservation, ulong first, int pagesRemoved)
    {
        using RankedLock.Scope held = _lock.Enter();
        _reserved -= reservation.ForgetRange(first, ulong.MaxValue) - pagesRemoved;
    }

    /// <summary>A page was punched out of a file: nothing is reserved for its index any more.</summary>
    public void ReleasePage(HugetlbReservation reservation, ulong index)
    {
        using RankedLock.Scope held = _lock.Enter();
        reservation.Forget(index);
    }

    /// <summary>The last reference to a page is gone (Linux: <c>free_huge_folio</c>).</summary>
    private void Return(Folio folio)
    {
        using RankedLock.Scope held = _lock.Enter();
        if (folio.Has(FolioFlags.RestoreReserve))
        {
            _returning--;
        }

        folio.Record->Flags = (int)FolioFlags.Hugetlb;
        folio.Record->Owner = 0;
        _free.Push(folio.Number);
    }
}
