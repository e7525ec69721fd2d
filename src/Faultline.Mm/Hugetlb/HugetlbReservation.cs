using System.Collections.Generic;

namespace Faultline.Mm;

/// <summary>
/// Which pages of a hugetlb file, or of one private mapping, have their place in the pool (Linux: <c>resv_map</c>). As on Linux the two keep
/// opposite things: a file the pages that are reserved or there, a private mapping the pages whose reservation has been used.
/// </summary>
/// <remarks>Guard: the pool's lock, inside <see cref="HugetlbPool"/>. Never larger than the pool, whatever is mapped.</remarks>
internal sealed class HugetlbReservation(bool isShared)
{
    private readonly HashSet<ulong> _indexes = [];

    /// <summary>Whether it belongs to a file.</summary>
    public bool IsShared { get; } = isShared;

    public int Count => _indexes.Count;

    /// <summary>Whether a page of the pool is kept for an index and not yet used.</summary>
    /// <remarks>For a file also true while the page is there; nobody asks then.</remarks>
    public bool IsKeptFor(ulong index) => _indexes.Contains(index) == IsShared;

    /// <summary>Whether an index is noted, in whichever sense.</summary>
    public bool Has(ulong index) => _indexes.Contains(index);

    /// <returns>Whether it was not noted before.</returns>
    public bool Note(ulong index) => _indexes.Add(index);

    /// <returns>Whether it was noted.</returns>
    public bool Forget(ulong index) => _indexes.Remove(index);

    /// <summary>Forgets what lies in a range.</summary>
    /// <returns>How many there were.</returns>
    public int ForgetRange(ulong first, ulong end) => _indexes.RemoveWhere(index => index >= first && index < end);

    public int CountIn(ulong first, ulong end)
    {
        int count = 0;
        foreach (ulong index in _indexes)
        {
            count += index >= first && index < end ? 1 : 0;
        }

        return count;
    }
}
