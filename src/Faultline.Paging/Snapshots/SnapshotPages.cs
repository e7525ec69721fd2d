using System;
using System.Collections.Generic;
using System.Numerics;

namespace Faultline.Paging;

/// <summary>
/// Where each page of a snapshot is: in the memory, protected; in a copy; in the image behind the memory; or with the reader already. The lock of the
/// <see cref="WriteWatch"/> is held.
/// </summary>
internal sealed class SnapshotPages(AddressRange range, ulong pageBytes, MemorySnapshotOptions options, ISnapshotSource source)
{
    private readonly int _pageShift = BitOperations.Log2(pageBytes);
    private readonly Dictionary<int, byte[]> _held = [];
    private readonly Stack<byte[]> _spare = [];
    private readonly Queue<int> _postponed = [];
    private readonly ulong[] _passed = new ulong[((range.Length >> BitOperations.Log2(pageBytes)) + 63) / 64];
    private readonly ulong[] _inStore = new ulong[((range.Length >> BitOperations.Log2(pageBytes)) + 63) / 64];
    private readonly long _mostHeld = Math.Max(1, (long)(options.MaxHeldBytes / pageBytes));

    /// <summary>How many pages were ever copied.</summary>
    public long Copied;

    public bool IsReadOnce => options.ReadOnce;

    /// <summary>Why the snapshot is lost, or null.</summary>
    public Exception? Failure { get; set; }

    /// <summary>What an access that failed means.</summary>
    public static MemoryEngineException Unreadable(AccessResult result) => new(
        "read",
        new AddressRange(result.Address, PageSize.Small),
        Errno.EFAULT,
        $"The page could not be read for the snapshot: {result.Fault}.");

    /// <summary>The owner of the memory threw a page away before it could be kept.</summary>
    public static InvalidOperationException Discarded(ulong offset) =>
        new($"The page at 0x{offset:x} was discarded (madvise) while the snapshot was read. Take another one, and let nothing be discarded meanwhile.");

    /// <summary>Keeps a page that someone is about to write to.</summary>
    /// <returns>Whether the page may be written to now; false if there is no room for the copy.</returns>
    public bool TryKeep(int page)
    {
        // A second message for one page: two threads wrote to it, or the copy was made after it was read.
        if (Failure is not null || Has(_passed, page) || Has(_inStore, page) || _held.ContainsKey(page))
        {
            return true;
        }

        if (_held.Count >= _mostHeld)
        {
            return false;
        }

        byte[] copy = _spare.TryPop(out byte[]? spare) ? spare : GC.AllocateUninitializedArray<byte>((int)pageBytes);
        KeepResult result = source.Keep(page, range.Slice((ulong)page << _pageShift, pageBytes), copy, out Exception? cause);
        if (result == KeepResult.Copied)
        {
            _held.Add(page, copy);
            Copied++;
            return true;
        }

        _spare.Push(copy);
        if (result == KeepResult.InStore)
        {
            _inStore[page / 64] |= 1UL << (page % 64);
        }

        // Where it failed the writer may go on; the snapshot is lost.
        Failure = cause;
        return true;
    }

    /// <summary>The memory's owner discarded a page, and did not wait for it to be kept.</summary>
    public void NoteDiscarded(int page)
    {
        if (!Has(_passed, page) && !_held.ContainsKey(page))
        {
            Failure ??= Discarded((ulong)page << _pageShift);
        }
    }

    /// <summary>Puts a page aside until there is room.</summary>
    public void Postpone(int page) => _postponed.Enqueue(page);

    /// <summary>A page that was put aside, if there is room for it.</summary>
    public bool TryTakePostponed(out int page)
    {
        page = 0;
        return (_held.Count < _mostHeld || Failure is not null) && _postponed.TryDequeue(out page);
    }

    /// <summary>Copies out what is held, and tells where the rest is to be read.</summary>
    /// <returns>Why the bytes cannot be had; null if they can.</returns>
    public Exception? Plan(ulong offset, Span<byte> target, List<SnapshotRun> elsewhere)
    {
        elsewhere.Clear();
        for (int at = 0; at < target.Length && Failure is null;)
        {
            int page = (int)((offset + (ulong)at) >> _pageShift);
            int count = (int)Math.Min((ulong)(target.Length - at), pageBytes - ((offset + (ulong)at) & (pageBytes - 1)));
            if (Has(_passed, page))
            {
                return new InvalidOperationException($"The page at 0x{(ulong)page << _pageShift:x} was read before, and the snapshot is read once.");
            }

            if (_held.TryGetValue(page, out byte[]? copy))
            {
                copy.AsSpan((int)((offset + (ulong)at) & (pageBytes - 1)), count).CopyTo(target[at..]);
            }
            else
            {
                SnapshotOrigin origin = Has(_inStore, page) ? SnapshotOrigin.Image : SnapshotOrigin.Memory;
                if (elsewhere.Count != 0 && elsewhere[^1] is { } last && last.End == at && last.Origin == origin)
                {
                    elsewhere[^1] = last with { End = at + count };
                }
                else
                {
                    elsewhere.Add(new SnapshotRun(at, at + count, origin));
                }
            }

            at += count;
        }

        return Failure;
    }

    /// <summary>After the memory was read without the lock: what was written to meanwhile is in a copy, or in the image; see there again.</summary>
    public Exception? PlanAgain(ulong offset, Span<byte> target, List<SnapshotRun> read, List<SnapshotRun> elsewhere)
    {
        elsewhere.Clear();
        foreach (SnapshotRun run in read)
        {
            for (int at = run.Start; at < run.End && run.Origin == SnapshotOrigin.Memory;)
            {
                int page = (int)((offset + (ulong)at) >> _pageShift);
                int inPage = (int)((offset + (ulong)at) & (pageBytes - 1));
                int count = (int)Math.Min((ulong)(run.End - at), pageBytes - (ulong)inPage);
                if (_held.TryGetValue(page, out byte[]? copy))
                {
                    copy.AsSpan(inPage, count).CopyTo(target[at..]);
                }
                else if (Has(_inStore, page))
                {
                    elsewhere.Add(new SnapshotRun(at, at + count, SnapshotOrigin.Image));
                }

                at += count;
            }
        }

        return Failure;
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

    private static bool Has(ulong[] bits, int page) => (bits[page / 64] & (1UL << (page % 64))) != 0;
}
