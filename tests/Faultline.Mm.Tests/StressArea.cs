namespace Faultline.Mm.Tests;

/// <summary>An area of the stress test. Words in it are zero, or say which area and page they were stored to.</summary>
/// <param name="Start">Where it begins.</param>
/// <param name="PageTotal">Its pages.</param>
/// <param name="Tag">What stores to it leave in the highest byte.</param>
/// <param name="Tags">The tags that loads may see, one bit each.</param>
/// <param name="StaysInPlace">Whether pages keep their places; MOVE takes those of others elsewhere.</param>
/// <param name="PageBytes">What calls work in.</param>
internal sealed record StressArea(VirtualAddress Start, int PageTotal, int Tag, int Tags, bool StaysInPlace, ulong PageBytes = PageSize.Small)
{
    /// <summary>All of it.</summary>
    public AddressRange Range => new(Start, (ulong)PageTotal * PageSize.Small);

    /// <summary>A word to store to a page.</summary>
    public ulong WordFor(ulong page, uint value) => ((ulong)Tag << 56) | (page << 32) | value;

    /// <summary>Whether a load of a page may see a word.</summary>
    public bool MaySee(ulong word, ulong page) =>
        word == 0 || ((Tags >> (int)(word >> 56) & 1) != 0 && (!StaysInPlace || (word >> 32 & 0xFFFFFF) == page));
}
