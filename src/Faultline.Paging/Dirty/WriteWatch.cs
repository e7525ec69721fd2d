using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Numerics;
using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>
/// Write-protected memory, and what is done when someone writes to it: the page is kept for a snapshot, noted for a tracker, and let go. A bit
/// says: this page is written to, and not protected. Bit and protection change together under one lock; else a page could lose its protection
/// while its bit is clear, and its writes would be lost.
/// </summary>
internal sealed class WriteWatch
{
    private readonly IUserfaultfd _context;
    private readonly WriteLeases _leases;
    private readonly ulong[] _written;
    private readonly int _pageShift;

    /// <summary>The snapshot that is being read, or null. Guard: the lock.</summary>
    private SnapshotPages? _frozen;

    /// <summary>Whether a tracker wants the bits. Guard: the lock.</summary>
    private bool _isTracked;

    public WriteWatch(IUserfaultfd context, AddressRange range, ulong pageBytes, WriteLeases leases, int firstPage = 0)
    {
        _context = context;
        _leases = leases;
        Range = range;
        PageBytes = pageBytes;
        FirstPage = firstPage;
        _pageShift = BitOperations.Log2(pageBytes);
        _written = new ulong[((range.Length >> _pageShift) + 63) / 64];
    }

    public AddressRange Range { get; }

    public ulong PageBytes { get; }

    /// <summary>The page of the region that is page zero here; the pages of this class count from it.</summary>
    public int FirstPage { get; }

    /// <summary>Guards the snapshot's pages too.</summary>
    public RankedLock Lock => _leases.Lock;

    public int PageOf(VirtualAddress address) => (int)((address.Value - Range.Start.Value) >> _pageShift);

    public AddressRange AddressesOf(int page) => Range.Slice((ulong)page << _pageShift, PageBytes);

    /// <summary>Someone wants to write to a page, and waits.</summary>
    /// <returns>What the engine said to lifting the protection; None, too, if the writer is to wait on.</returns>
    public Errno Admit(int page, AddressRange addresses)
    {
        using RankedLock.Scope held = Lock.Enter();
        return AdmitLocked(page, addresses);
    }

    /// <summary>Makes a page an error that may be an empty, protected one, which POISON does not replace.</summary>
    public FillResult Poison(int page, AddressRange addresses)
    {
        using RankedLock.Scope held = Lock.Enter();
        _context.WriteProtect(addresses, WriteProtectModes.DontWake);
        FillResult result = _context.Poison(addresses);
        if (result.Errno != Errno.None && page >= 0 && page < (int)(Range.Length >> _pageShift))
        {
            // There is a page after all, and for a moment it could be written to.
            Mark(page);
        }

        return result;
    }

    /// <summary>The client discarded pages: they have other contents now.</summary>
    public void NoteDiscarded(int first, int count)
    {
        using RankedLock.Scope held = Lock.Enter();
        int end = (int)Math.Min((ulong)(first + count), Range.Length >> _pageShift);
        for (int page = Math.Max(first, 0); page < end; page++)
        {
            Mark(page);
            _frozen?.NoteDiscarded(page);
        }
    }

    /// <summary>Protects everything, and notes writes from here on.</summary>
    /// <exception cref="MemoryEngineException">It is tracked already, or cannot be protected.</exception>
    public void BeginTracking()
    {
        using Patience patience = new();
        while (true)
        {
            Errno errno;
            using (Lock.Enter())
            {
                if (_isTracked)
                {
                    throw new MemoryEngineException("tracking writes", Range, Errno.EBUSY, "The range is being tracked; it can have one tracker at a time.");
                }

                Array.Clear(_written);
                errno = ProtectLocked();
                _isTracked = errno == Errno.None;
            }

            if (errno != Errno.EAGAIN || !patience.Wait())
            {
                new SystemResult(errno).OrThrow("UFFDIO_WRITEPROTECT", Range);
                return;
            }
        }
    }

    public void EndTracking()
    {
        using RankedLock.Scope held = Lock.Enter();
        _isTracked = false;
    }

    /// <summary>Takes the pages whose bit is set, and protects them again.</summary>
    /// <returns>How many there were.</returns>
    public long TakeWritten(ICollection<AddressRange> written)
    {
        written.Clear();
        using Patience patience = new();
        var joined = new WrittenRanges(written);
        for (int index = 0; index < _written.Length; index++)
        {
            while (HasWritten(index))
            {
                Errno errno = TakeWord(index, ref joined);
                if (errno == Errno.None)
                {
                    break;
                }

                if (errno != Errno.EAGAIN || !patience.Wait())
                {
                    new SystemResult(errno).OrThrow("UFFDIO_WRITEPROTECT", Range);
                }
            }
        }

        joined.End();
        return (long)(joined.Bytes >> _pageShift);
    }

    /// <summary>
    /// Protects everything by one call, and from its end on keeps what is written to. Whoever is stopped by it waits for the lock, and so for its end.
    /// </summary>
    /// <param name="pages">What is kept.</param>
    /// <param name="taken">Receives what the tracker has noted, which starts anew; null to leave it.</param>
    /// <param name="time">How long the call took.</param>
    /// <returns>EBUSY: pages are leased for writing, or there is a snapshot already.</returns>
    public Errno TryFreeze(SnapshotPages pages, ICollection<AddressRange>? taken, out TimeSpan time)
    {
        time = default;
        using RankedLock.Scope held = Lock.Enter();
        if (_frozen is not null || !_leases.IsEmpty)
        {
            return Errno.EBUSY;
        }

        long begun = Stopwatch.GetTimestamp();
        SystemResult result = _context.WriteProtect(Range, WriteProtectModes.Protect);
        time = Stopwatch.GetElapsedTime(begun);
        if (!result.IsOk)
        {
            return result.Errno;
        }

        _frozen = pages;
        if (taken is not null)
        {
            TakeBits(taken);
        }

        return Errno.None;
    }

    /// <summary>Notes pages as written that were taken by <see cref="TryFreeze"/>, since what they were taken for did not come about.</summary>
    public void GiveBack(IReadOnlyList<AddressRange> taken)
    {
        using RankedLock.Scope held = Lock.Enter();
        foreach (AddressRange range in taken)
        {
            int end = PageOf(range.Start) + (int)(range.Length >> _pageShift);
            for (int page = PageOf(range.Start); page < end; page++)
            {
                Mark(page);
            }
        }
    }

    /// <summary>The reader has these bytes: nobody waits for them any more, and there is room for other copies. The lock is held.</summary>
    public void LetGo(SnapshotPages pages, ulong offset, ulong length)
    {
        AddressRange passed = pages.Pass(offset, length);
        if (!_isTracked && passed.Length != 0 && !_context.WriteProtect(passed, WriteProtectModes.None).IsOk)
        {
            // Who waits there tries again, and is let go one by one.
            _context.Wake(passed);
        }

        while (pages.TryTakePostponed(out int page))
        {
            AddressRange addresses = AddressesOf(page);
            if (AdmitLocked(page, addresses) != Errno.None)
            {
                _context.Wake(addresses);
            }
        }
    }

    /// <summary>Ends the snapshot: everybody may write again, before the tracker's eyes if there is one.</summary>
    public void Thaw(SnapshotPages pages)
    {
        using RankedLock.Scope held = Lock.Enter();
        if (!ReferenceEquals(_frozen, pages))
        {
            return;
        }

        _frozen = null;
        if (!_isTracked)
        {
            _context.WriteProtect(Range, WriteProtectModes.None);
        }

        // Whoever was put aside, or is still stopped, tries again.
        _context.Wake(Range);
    }

    private Errno AdmitLocked(int page, AddressRange addresses)
    {
        if (page >= 0 && page < (int)(Range.Length >> _pageShift))
        {
            if (_frozen is { } pages && !pages.TryKeep(page))
            {
                pages.Postpone(page);
                return Errno.None;
            }

            Mark(page);
        }

        return _context.WriteProtect(addresses, WriteProtectModes.None).Errno;
    }

    /// <summary>Whether a page of a word was written. Needs no lock: a write that is being noted now is one of the next call.</summary>
    private bool HasWritten(int index)
    {
        Seam.Touch(_written, TouchKind.Read, index);
        return Volatile.Read(ref _written[index]) != 0;
    }

    private void Mark(int page)
    {
        Seam.Touch(_written, TouchKind.Write, page / 64);
        Volatile.Write(ref _written[page / 64], _written[page / 64] | (1UL << (page % 64)));
    }

    /// <summary>Protects all but what is leased for writing.</summary>
    private Errno ProtectLocked()
    {
        if (_leases.IsEmpty)
        {
            return _context.WriteProtect(Range, WriteProtectModes.Protect).Errno;
        }

        int pages = (int)(Range.Length >> _pageShift);
        for (int page = 0; page < pages;)
        {
            bool isLeased = _leases.Covers(FirstPage + page);
            int end = page;
            while (end < pages && _leases.Covers(FirstPage + end) == isLeased)
            {
                if (isLeased)
                {
                    Mark(end);
                }

                end++;
            }

            Errno errno = isLeased
                ? Errno.None
                : _context.WriteProtect(Range.Slice((ulong)page << _pageShift, (ulong)(end - page) << _pageShift), WriteProtectModes.Protect).Errno;
            if (errno != Errno.None)
            {
                return errno;
            }

            page = end;
        }

        return Errno.None;
    }

    /// <summary>The set bits of one word: protected again, and reported. What is leased for writing is reported only.</summary>
    private Errno TakeWord(int index, ref WrittenRanges joined)
    {
        using RankedLock.Scope held = Lock.Enter();
        ulong taken = _written[index];
        ulong leased = _leases.IsEmpty ? 0 : LeasedOf(index);
        ulong rest = taken & ~leased;
        while (NextRun(index, ref rest, out AddressRange range))
        {
            SystemResult result = _context.WriteProtect(range, WriteProtectModes.Protect);
            if (!result.IsOk)
            {
                return result.Errno;
            }
        }

        Seam.Touch(_written, TouchKind.Write, index);
        Volatile.Write(ref _written[index], taken & leased);
        rest = taken;
        while (NextRun(index, ref rest, out AddressRange range))
        {
            joined.Add(range);
        }

        return Errno.None;
    }

    /// <summary>Takes the first run of bits out of a word.</summary>
    private bool NextRun(int index, ref ulong word, out AddressRange range)
    {
        range = default;
        if (word == 0)
        {
            return false;
        }

        int first = BitOperations.TrailingZeroCount(word);
        int count = BitOperations.TrailingZeroCount(~(word >> first));
        word &= ~((count == 64 ? ulong.MaxValue : (1UL << count) - 1) << first);
        range = Range.Slice((ulong)((index * 64) + first) << _pageShift, (ulong)count << _pageShift);
        return true;
    }

    private ulong LeasedOf(int index)
    {
        ulong leased = 0;
        for (int bit = 0; bit < 64; bit++)
        {
            if (_leases.Covers(FirstPage + (index * 64) + bit))
            {
                leased |= 1UL << bit;
            }
        }

        return leased;
    }

    private void TakeBits(ICollection<AddressRange> taken)
    {
        taken.Clear();
        var joined = new WrittenRanges(taken);
        for (int index = 0; index < _written.Length; index++)
        {
            for (ulong word = _written[index]; word != 0; word &= word - 1)
            {
                joined.Add(AddressesOf((index * 64) + BitOperations.TrailingZeroCount(word)));
            }

            Seam.Touch(_written, TouchKind.Write, index);
            Volatile.Write(ref _written[index], 0);
        }

        joined.End();
    }
}
