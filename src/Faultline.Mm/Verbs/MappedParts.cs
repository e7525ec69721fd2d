using System;

namespace Faultline.Mm;

/// <summary>
/// The mappings of a range, one after the other, as madvise(2) meets them (Linux: <c>madvise_walk_vmas</c>): holes are passed over, and told at the end.
/// </summary>
internal struct MappedParts(ulong start, ulong end)
{
    private ulong _limit = end;

    /// <summary>Where the present part begins.</summary>
    public ulong Start { get; private set; } = start;

    /// <summary>Where it ends, and the next is looked for. Whoever did less than the part moves it.</summary>
    public ulong End { get; set; } = start;

    /// <summary>ENOMEM once a hole was passed over.</summary>
    public Errno Holes { get; private set; } = Errno.None;

    public readonly bool HasMore => End < _limit;

    /// <summary>Goes on to the next part; the mmap lock is held.</summary>
    /// <returns>Its mapping, or null if nothing else of the range is mapped.</returns>
    public Vma? Next(MmState mm)
    {
        Vma? vma = mm.Vmas.FindFrom(End);
        if (vma is null || vma.Start >= _limit)
        {
            return null;
        }

        Holes = vma.Start > End ? Errno.ENOMEM : Holes;
        Start = Math.Max(End, vma.Start);
        End = Math.Min(_limit, vma.End);
        return vma;
    }

    /// <summary>Ends the range, and the present part, earlier.</summary>
    public void EndAt(ulong address) => _limit = End = address;
}
