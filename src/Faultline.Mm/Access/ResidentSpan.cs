using System;
using System.Threading;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>The bytes of resident pages as one piece, where their frames follow each other.</summary>
internal static unsafe class ResidentSpan
{
    public static bool TryGet(MmState mm, AddressRange range, out Span<byte> span)
    {
        span = default;
        if (!RangeCheck.IsValidUnaligned(range.Start.Value, range.Length))
        {
            return false;
        }

        using RankedSharedLock.ReadScope held = mm.Lock.EnterRead();
        byte* first = FirstByte(mm, range);
        if (first is null)
        {
            return false;
        }

        // Whoever takes pages out of their frames under the same lock has taken the entry away before he looks whether spans are out.
        mm.HasHandedOutSpans = true;
        Interlocked.MemoryBarrier();
        if (FirstByte(mm, range) != first)
        {
            return false;
        }

        span = new Span<byte>(first + (range.Start.Value & (PageSize.Small - 1)), (int)range.Length);
        return true;
    }

    /// <returns>Where the first page is; null if not every page is there, or their frames do not follow each other.</returns>
    private static byte* FirstByte(MmState mm, AddressRange range)
    {
        byte* first = null;
        byte* next = null;
        ulong end = range.End.Value;
        for (ulong address = range.Start.Value & ~(PageSize.Small - 1); address < end; address += PageSize.Small)
        {
            EntryPlace place = mm.Table.FindEntry(address);
            Pte entry = place.Read();
            if ((entry.Value & Pte.Present) == 0)
            {
                return null;
            }

            byte* host = mm.System.Memory.BytesAt(place.FrameOf(entry, address));
            if (next is not null && host != next)
            {
                return null;
            }

            first = first is null ? host : first;
            next = host + PageSize.Small;
        }

        return first;
    }
}
