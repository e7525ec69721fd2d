using System.Numerics;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>A bit for each page of a region. Safe for concurrent use; a range is not changed in one step.</summary>
internal sealed class PageBits
{
    private readonly ulong[] _words;

    public PageBits(int count) => _words = new ulong[(count + 63) >> 6];

    private PageBits(ulong[] words) => _words = words;

    public bool this[int page]
    {
        get
        {
            Seam.Touch(this, TouchKind.Read, page >> 6);
            return (Volatile.Read(ref _words[page >> 6]) >> (page & 63) & 1) != 0;
        }
    }

    public void Set(int first, int count)
    {
        for (int end = first + count; first < end;)
        {
            ulong mask = MaskOf(first, end, out int next);
            Seam.Touch(this, TouchKind.Write, first >> 6);
            Interlocked.Or(ref _words[first >> 6], mask);
            first = next;
        }
    }

    public void Clear(int first, int count)
    {
        for (int end = first + count; first < end;)
        {
            ulong mask = MaskOf(first, end, out int next);
            Seam.Touch(this, TouchKind.Read, first >> 6);
            if ((Volatile.Read(ref _words[first >> 6]) & mask) != 0)
            {
                Seam.Touch(this, TouchKind.Write, first >> 6);
                Interlocked.And(ref _words[first >> 6], ~mask);
            }

            first = next;
        }
    }

    /// <summary>Clears a range.</summary>
    /// <returns>How many bits were set, and have been cleared by this call and no other.</returns>
    public int Take(int first, int count)
    {
        int taken = 0;
        for (int end = first + count; first < end;)
        {
            ulong mask = MaskOf(first, end, out int next);
            Seam.Touch(this, TouchKind.Write, first >> 6);
            if ((Volatile.Read(ref _words[first >> 6]) & mask) != 0)
            {
                taken += BitOperations.PopCount(Interlocked.And(ref _words[first >> 6], ~mask) & mask);
            }

            first = next;
        }

        return taken;
    }

    public bool Any(int first, int count)
    {
        for (int end = first + count; first < end;)
        {
            ulong mask = MaskOf(first, end, out int next);
            Seam.Touch(this, TouchKind.Read, first >> 6);
            if ((Volatile.Read(ref _words[first >> 6]) & mask) != 0)
            {
                return true;
            }

            first = next;
        }

        return false;
    }

    public int CountOf(int first, int count)
    {
        int set = 0;
        for (int end = first + count; first < end;)
        {
            ulong mask = MaskOf(first, end, out int next);
            set += BitOperations.PopCount(Volatile.Read(ref _words[first >> 6]) & mask);
            first = next;
        }

        return set;
    }

    public PageBits Clone() => new((ulong[])_words.Clone());

    /// <summary>The bits of a part, moved down to bit zero.</summary>
    public ulong[] Extract(int first, int count)
    {
        ulong[] part = new ulong[(count + 63) >> 6];
        for (int i = 0; i < count; i++)
        {
            if (this[first + i])
            {
                part[i >> 6] |= 1UL << (i & 63);
            }
        }

        return part;
    }

    /// <summary>The bits of the first word that lie in the range, and where the next word begins.</summary>
    private static ulong MaskOf(int first, int end, out int next)
    {
        next = (first | 63) + 1;
        ulong mask = ulong.MaxValue << (first & 63);
        if (end < next)
        {
            mask &= ulong.MaxValue >> (next - end);
            next = end;
        }

        return mask;
    }
}
