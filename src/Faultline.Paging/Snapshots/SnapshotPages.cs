using System;
using System.Collections.Generic;
using System.Numerics;

namespace Faultline.Paging;

/// <summary>
/// Where each page of a snapshot is: in the memory, protected; in a copy; or with the reader already. The snapshot's lock is held.
/// </summary>
internal sealed class SnapshotPages(AddressRange range, ulong pageBytes, MemorySnapshotOptions options)
{
    private readonly int _pageShift = BitOperations.Log2(pageBytes);
    private readonly Dictionary<int, byte[]> _held = [];
    private readonly Stack<byte[]> _spare = [];
    private readonly Queue<int> _postponed = [];
    private readonly ulong[] _passed = new ulong[((range.Length >> BitOperations.Log2(pageBytes)) + 63) / 64];
    private readonly long _mostHeld = Math.Max(1, (long)(options.MaxHeldBytes / pageBytes));

    /// <summary>How many pages were ever copied.</summary>
    public long Copied;

    public bool IsReadOnce => options.ReadOnce;

    public int PageOf(VirtualAddress address) => (int)((address.Value - range.Start.Value) >> _pageShift);

    public AddressRange AddressesOf(int page) => range.Slice((ulong)page << _pageShift, pageBytes);

    /// <summary>Copies a page that someone is about to write to.</summary>
    /// <returns>Whether the page may be written to now; false if there is no room for the copy.</returns>
    public bool TryKeep(IMemoryAccess access, int page, ref Exception? failure)
    {
        // A second message for one page: two threads wrote to it, or the copy was made after it was read.
        if (failure is not null || IsPassed(page) || _held.ContainsKey(page))
        {
            return true;
        }

        if (_held.Count >= _mostHeld)
        {
            return false;
        }

        byte[] copy = _spare.TryPop(out byte[]? spare) ? spare : GC.AllocateUninitializedArray<byte>((int)pageBytes);
        AccessResult result = access.Read(AddressesOf(page).Start, copy);
        if (!result.IsOk)
        {
            // The writer may go on; the snapshot is lost.
            failure = Unreadable(result);
            return true;
        }

        _held.Add(page, copy);
        Copied++;
        return true;
    }

    /// <summary>Puts a page aside until there is room.</summary>
    public void Postpone(int page) => _postponed.Enqueue(page);

    /// <summary>A page that was put aside, if there is room for it.</summary>
    public bool TryTakePostponed(out int page)
    {
        page = 0;
        return _held.Count < _mostHeld && _postponed.TryDequeue(out page);
    }

    /// <summary>Reads what was there at the instant.</summary>
    /// <returns>Why that failed; null if it did not.</returns>
    public Exception? Read(IMemoryAccess access, ulong offset, Span<byte> target)
    {
        while (!target.IsEmpty)
        {
            int page = (int)(offset >> _pageShift);
            ulong inPage = offset & (pageBytes - 1);
            int count = (int)Math.Min((ulong)target.Length, pageBytes - inPage);
            if (IsPassed(page))
            {
                return new InvalidOperationException($"The page at 0x{(ulong)page << _pageShift:x} was read before, and the snapshot is read once.");
            }

            if (_held.TryGetValue(page, out byte[]? copy))
            {
                copy.AsSpan((int)inPage, count).CopyTo(target);
            }
            else
            {
                count = RunInMemory(page, inPage, target.Length);
                AccessResult result = access.Read(range.Start + offset, target[..count]);
                if (!result.IsOk)
                {
                    return Unreadable(result);
                }
            }

            offset += (ulong)count;
            target = target[count..];
        }

        return null;
    }

    /// <summary>Takes note that the reader has these bytes.</summary>
    /// <returns>The addresses of the pages that are read to their end.</returns>
    public AddressRange Pass(ulong offset, ulong length)
    {
        int first = (int)(offset >> _pageShift);
        ulong endOffset = offset + length;
        int end = (int)(endOffset >> _pageShift);
        for (int page = first; page < end; page++)
        {
            _passed[page / 64] |= 1UL << (page % 64);
            if (_held.Remove(page, out byte[]? copy))
            {
                _spare.Push(copy);
            }
        }

        return AddressRange.Between(range.Start + ((ulong)first << _pageShift), range.Start + ((ulong)end << _pageShift));
    }

    private bool IsPassed(int page) => (_passed[page / 64] & (1UL << (page % 64))) != 0;

    /// <summary>How many bytes from here on are in the memory itself.</summary>
    private int RunInMemory(int page, ulong inPage, int most)
    {
        ulong count = pageBytes - inPage;
        while (count < (ulong)most && !_held.ContainsKey(++page) && !IsPassed(page))
        {
            count += pageBytes;
        }

        return (int)Math.Min(count, (ulong)most);
    }

    private MemoryEngineException Unreadable(AccessResult result) =>
        new("read", new AddressRange(result.Address, pageBytes), Errno.EFAULT, $"The page could not be read for the snapshot: {result.Fault}.");
}
