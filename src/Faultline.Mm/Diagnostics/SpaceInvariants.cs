using System.Collections.Generic;

namespace Faultline.Mm;

/// <summary>The part of <see cref="Invariants"/> that looks at one address space.</summary>
internal sealed unsafe class SpaceInvariants
{
    private readonly MmState _mm;
    private readonly Invariants _check;
    private readonly long[] _found = new long[4];

    public SpaceInvariants(MmState mm, Invariants check)
    {
        _mm = mm;
        _check = check;
    }

    public void Check()
    {
        ulong covered = 0;
        int count = 0;
        for (Vma? vma = _mm.Vmas.FindFrom(0); vma is not null; vma = _mm.Vmas.Next(vma))
        {
            if (vma.Start < covered || vma.Start >= vma.End)
            {
                _check.Report($"The mapping {vma} overlaps the one before, or is empty.");
                return;
            }

            if (vma.IsArmed != vma.Userfaultfd is not null)
            {
                _check.Report($"The mapping {vma} is armed without a userfaultfd, or has one without being armed.");
            }

            if (vma.HugetlbReservation is { } reservation)
            {
                ulong first = HugetlbFile.IndexOf(vma, vma.Start);
                ulong end = HugetlbFile.IndexOf(vma, vma.End);
                _check.HugetlbReserved += (long)(end - first) - reservation.CountIn(first, end);
            }

            Nothing(covered, vma.Start);
            Entries(vma);
            covered = vma.End;
            count++;
        }

        Nothing(covered, PageTable.UserEnd);
        if (count != _mm.Vmas.Count)
        {
            _check.Report($"The tree has {count} mappings and counts {_mm.Vmas.Count}.");
        }

        Sleepers();
        for (int kind = 0; kind < _found.Length; kind++)
        {
            if (_found[kind] != _mm.Counters.Get((CounterKind)kind))
            {
                _check.Report($"{_found[kind]} pages of kind {(CounterKind)kind} are resident, and {_mm.Counters.Get((CounterKind)kind)} are counted.");
            }
        }
    }

    /// <summary>Whoever sleeps in a fault is queued with a userfaultfd that is open: somebody can wake it.</summary>
    private void Sleepers()
    {
        int queued = 0;
        foreach (UserfaultfdBinding binding in _mm.ListBindings())
        {
            IReadOnlyList<string> violations = ((UserfaultfdContext)binding).FindViolations(out int waiters);
            foreach (string violation in violations)
            {
                _check.Report(violation);
            }

            queued += waiters;
        }

        if (queued != _mm.Sleepers)
        {
            _check.Report($"{_mm.Sleepers} threads sleep in faults, and {queued} faults are queued: somebody sleeps without a reason.");
        }
    }

    private void Nothing(ulong start, ulong end)
    {
        PageTable tables = _mm.Table;
        for (ulong address = tables.SkipAbsent(start, end); address < end; address = tables.SkipAbsent(address + PageSize.Small, end))
        {
            if (!tables.FindEntry(address).Read().IsNone)
            {
                _check.Report($"There is an entry at {address:x}, and no mapping.");
            }
        }
    }

    private void Entries(Vma vma)
    {
        PageTable tables = _mm.Table;
        for (ulong address = tables.SkipAbsent(vma.Start, vma.End); address < vma.End; address = tables.SkipAbsent(address + PageSize.Small, vma.End))
        {
            EntryPlace place = tables.FindEntry(address);
            Pte entry = place.Read();
            if (entry.IsSwapSlot)
            {
                _found[(int)CounterKind.Swap]++;
                _check.FoundSlot(SwapSlot.Of(entry));
            }
            else if (entry.IsPresent)
            {
                Present(vma, address, entry, place.IsHuge);
            }

            if (place.IsHuge)
            {
                // One entry for all of it.
                address |= PageSize.Huge - PageSize.Small;
            }
        }
    }

    private void Present(Vma vma, ulong address, Pte entry, bool isHuge)
    {
        if (entry.IsWriteProtected && entry.IsWritable)
        {
            _check.Report($"The entry at {address:x} is write-protected and writable: {entry}.");
        }

        if (entry.IsWritable && !vma.Has(VmaFlags.Write))
        {
            _check.Report($"The entry at {address:x} is writable in a mapping that is not: {entry}, {vma}.");
        }

        if (entry.IsSpecial)
        {
            uint zero = isHuge ? _mm.System.HugeZero.Number : _mm.System.Pool.ZeroFolio.Number;
            if (entry.IsWritable || entry.FrameNumber != zero)
            {
                _check.Report($"The special entry at {address:x} is not the zero page, read-only: {entry}.");
            }

            _check.HugeZeroEntries += isHuge ? 1 : 0;

            return;
        }

        if (isHuge)
        {
            _check.FoundHugeEntry(entry.FrameNumber);
        }
        else
        {
            _check.FoundEntry(entry.FrameNumber);
        }

        Folio folio = _mm.System.Memory.FolioAt(entry.FrameNumber);
        if (vma.IsHugetlb != folio.Has(FolioFlags.Hugetlb) || (vma.IsHugetlb && !isHuge))
        {
            _check.Report($"The entry at {address:x} of {vma} is not of the mapping's kind: {entry}, {folio}.");
        }

        if (!vma.IsHugetlb)
        {
            _found[(int)MmCounters.KindOf(folio)] += isHuge ? folio.FrameCount : 1;
        }

        if (folio.IsAnonymous)
        {
            Anonymous(vma, address, entry, folio);
        }
        else
        {
            OfFile(vma, address, entry, folio);
        }
    }

    private void Anonymous(Vma vma, ulong address, Pte entry, Folio folio)
    {
        if (vma.IsShared)
        {
            _check.Report($"The shared mapping {vma} has a private page at {address:x}.");
        }

        if (entry.IsWritable && !folio.Has(FolioFlags.Exclusive))
        {
            _check.Report($"The entry at {address:x} is writable, and its page not exclusive: {entry}, {folio}.");
        }

        AnonVma? filed = _mm.System.Owners.Find<AnonVma>(folio.Record->Owner);
        if (filed is null || !filed.Mappings.Contains(vma) || vma.IndexOf(address) != folio.Index)
        {
            _check.Report($"Rmap would not find the page at {address:x} of {vma}: {folio}, index {folio.Index}.");
        }
    }

    private void OfFile(Vma vma, ulong address, Pte entry, Folio folio)
    {
        if (!vma.IsShared && entry.IsWritable)
        {
            _check.Report($"A page of the file is writable in a private mapping, at {address:x}: {entry}.");
        }

        if (vma.File is null || folio.Record->Owner != vma.File.OwnerHandle || folio.FrameAt(vma.IndexOf(address)) != entry.FrameNumber)
        {
            _check.Report($"The page at {address:x} of {vma} is not the one the mapping should show: {folio}, index {folio.Index}.");
        }
        else if (vma.IndexOf(address) >= PageCount.FromBytes(vma.File.Size).Value)
        {
            _check.Report($"The entry at {address:x} lies beyond the end of {vma.File}.");
        }
    }
}
