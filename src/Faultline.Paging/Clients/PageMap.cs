using System.Numerics;

namespace Faultline.Paging;

/// <summary>Which pages of a region the pager has installed, one bit each. A snapshot.</summary>
public sealed class PageMap
{
    private readonly ulong[] _bits;

    internal PageMap(AddressRange range, ulong pageBytes, ulong[] bits)
    {
        Range = range;
        PageBytes = pageBytes;
        Count = (int)(range.Length / pageBytes);
        _bits = bits;
    }

    /// <summary>The addresses of the region.</summary>
    public AddressRange Range { get; }

    /// <summary>The size of a page of the region in bytes.</summary>
    public ulong PageBytes { get; }

    /// <summary>The number of pages.</summary>
    public int Count { get; }

    /// <summary>The number of pages installed.</summary>
    public int Installed
    {
        get
        {
            int installed = 0;
            foreach (ulong word in _bits)
            {
                installed += BitOperations.PopCount(word);
            }

            return installed;
        }
    }

    /// <summary>Whether a page is installed.</summary>
    /// <param name="page">The page, counted from the start of the region.</param>
    public bool this[int page] => (_bits[page >> 6] >> (page & 63) & 1) != 0;
}
