using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Paging;

/// <summary>
/// Memory that a pager serves. Pages that a clone has not written to are the image's: they are read there, and not through the clone, which need not have
/// them. Only its own pages are read through its mapping.
/// </summary>
internal sealed class ServedMemorySource : ISnapshotSource
{
    private const int EntriesAtOnce = 512;

    /// <summary>The swap type that pagemap shows for markers: they hold no page.</summary>
    private const ulong MarkerType = 0x1f;

    private readonly ServedWatch _watcher;
    private readonly IAddressSpace _space;
    private readonly RegionPages _pages;
    private readonly LoadTable _table;
    private readonly AddressRange _range;
    private readonly int _firstPage;
    private readonly IMemoryAccess _keeping;
    private readonly PagemapEntry[] _entry = new PagemapEntry[1];

    public ServedMemorySource(ServedWatch watcher, IAddressSpace space)
    {
        _watcher = watcher;
        _space = space;
        _pages = watcher.Region.Pages;
        _table = _pages.Table;
        _range = watcher.Region.Range;
        _firstPage = watcher.Region.FirstPage;

        // A handler keeps pages: a fault of its own, on a page that was discarded meanwhile, would wait for nobody else than itself.
        _keeping = space.OpenAccess(AccessMode.Peek).OrThrow("accessor", _range);
        if (Kind == RegionKind.SharedImage)
        {
            // What is in the cache is all there is of a shared image: it stays until it is read.
            _table.Pin(_pages.TablePage(_firstPage), watcher.Region.PageCount);
        }
    }

    private RegionKind Kind => _watcher.Region.Kind;

    private int PageBytes => _pages.PageBytes;

    /// <summary>How many pages are looked up together: a huge page has many entries, and one of them tells.</summary>
    private int PagesAtOnce => PageBytes == (int)PageSize.Small ? EntriesAtOnce : 1;

    public KeepResult Keep(int page, AddressRange addresses, Span<byte> copy, out Exception? cause)
    {
        cause = null;
        int regionPage = _firstPage + page;
        if (Kind == RegionKind.SharedImage)
        {
            return ReadFile(_table.OffsetOf(_pages.TablePage(regionPage)), copy, ref cause) ? KeepResult.Copied : KeepResult.Failed;
        }

        if (Kind == RegionKind.PrivateImage)
        {
            SystemResult<int> looked = _space.Inspector.ReadPagemap(addresses.Start, _entry);
            if (!looked.IsOk)
            {
                cause = new MemoryEngineException("pagemap", addresses, looked.Errno, "The page could not be looked up for the snapshot.");
                return KeepResult.Failed;
            }

            if (!IsOwn(_entry[0]))
            {
                if (!_pages.Removed[regionPage])
                {
                    return KeepResult.InStore;
                }

                copy.Clear();
                return KeepResult.Copied;
            }
        }

        AccessResult result = _keeping.Read(addresses.Start, copy);
        cause = result.IsOk ? null : SnapshotPages.Discarded((ulong)page * (ulong)PageBytes);
        return result.IsOk ? KeepResult.Copied : KeepResult.Failed;
    }

    public Exception? Read(ulong offset, Span<byte> target, SnapshotOrigin origin)
    {
        try
        {
            var entries = new PagemapEntry[EntriesAtOnce];
            while (!target.IsEmpty)
            {
                int page = (int)(offset / (ulong)PageBytes);
                int inPage = (int)(offset % (ulong)PageBytes);
                int pages = Math.Min(PagesAtOnce, (int)(((ulong)inPage + (ulong)target.Length + (ulong)PageBytes - 1) / (ulong)PageBytes));
                Look(page, entries.AsSpan(0, pages));
                int run = 1;
                while (run < pages && PlaceOf(entries[run], page + run, origin) == PlaceOf(entries[0], page, origin))
                {
                    run++;
                }

                int count = (int)Math.Min((ulong)target.Length, ((ulong)run * (ulong)PageBytes) - (ulong)inPage);
                ReadRun(PlaceOf(entries[0], page, origin), page, inPage, target[..count]);
                offset += (ulong)count;
                target = target[count..];
            }

            return null;
        }
        catch (Exception cause) when (cause is PageLoadException or MemoryEngineException or ObjectDisposedException)
        {
            return cause;
        }
    }

    /// <summary>
    /// The pages that may differ from the image: those a clone has for itself, and those it discarded; all that was copied to it. A page that is written
    /// to while this is found out may be among them. Null where it cannot be told.
    /// </summary>
    public List<AddressRange>? FindChanged()
    {
        if (Kind == RegionKind.SharedImage)
        {
            return null;
        }

        List<AddressRange> changed = [];
        var joined = new WrittenRanges(changed);
        int pages = _watcher.Region.PageCount;
        var entries = new PagemapEntry[EntriesAtOnce];
        for (int page = 0; page < pages; page += PagesAtOnce)
        {
            int count = Math.Min(PagesAtOnce, pages - page);
            Look(page, entries.AsSpan(0, count));
            for (int i = 0; i < count; i++)
            {
                if (PlaceOf(entries[i], page + i, SnapshotOrigin.Memory) != Place.Behind)
                {
                    joined.Add(_range.Slice((ulong)(page + i) * (ulong)PageBytes, (ulong)PageBytes));
                }
            }
        }

        joined.End();
        return changed;
    }

    public void Dispose()
    {
        if (Kind == RegionKind.SharedImage)
        {
            _table.Unpin(_pages.TablePage(_firstPage), _watcher.Region.PageCount);
        }

        _keeping.Dispose();
    }

    /// <summary>Whether a private mapping has a page of its own there, which the image does not show.</summary>
    private static bool IsOwn(PagemapEntry entry) => entry.IsPresent ? !entry.IsFile : entry.IsSwap && (entry.FrameOrSwap & 0x1f) != MarkerType;

    private Place PlaceOf(PagemapEntry entry, int page, SnapshotOrigin origin)
    {
        bool isInMemory = origin == SnapshotOrigin.Memory && Kind switch
        {
            RegionKind.PrivateImage => IsOwn(entry),
            RegionKind.SharedImage => false,

            // Anonymous memory and hugetlb: what is there was copied there.
            _ => entry.IsPresent || (entry.IsSwap && (entry.FrameOrSwap & 0x1f) != MarkerType),
        };
        return isInMemory ? Place.Memory
            : _pages.Removed[_firstPage + page] && Kind != RegionKind.SharedImage ? Place.Nowhere
            : Place.Behind;
    }

    /// <summary>Looks up the first 4 KiB of each of some pages.</summary>
    private void Look(int page, Span<PagemapEntry> entries)
    {
        VirtualAddress from = _range.Start + ((ulong)page * (ulong)PageBytes);
        SystemResult<int> looked = _space.Inspector.ReadPagemap(from, entries);
        new SystemResult(looked.Errno).OrThrow("pagemap", new AddressRange(from, (ulong)entries.Length * (ulong)PageBytes));
    }

    private void ReadRun(Place place, int page, int inPage, Span<byte> target)
    {
        if (place == Place.Memory)
        {
            using IMemoryAccess reading = _space.OpenAccess(AccessMode.Kernel).OrThrow("accessor", _range);
            AccessResult result = reading.Read(_range.Start + ((ulong)page * (ulong)PageBytes) + (ulong)inPage, target);
            if (!result.IsOk)
            {
                throw SnapshotPages.Unreadable(result);
            }
        }
        else if (place == Place.Nowhere)
        {
            target.Clear();
        }
        else if (_table.FillsCache)
        {
            ReadImage(_pages.TablePage(_firstPage + page), inPage, target);
        }
        else
        {
            ReadStore(_table.OffsetOf(_pages.TablePage(_firstPage + page)) + (ulong)inPage, target);
        }
    }

    private void ReadImage(int tablePage, int inPage, Span<byte> target)
    {
        int pages = (inPage + target.Length + (int)PageSize.Small - 1) / (int)PageSize.Small;
        for (int page = 0; page < pages; page += _table.ChunkPages)
        {
            int count = Math.Min(_table.ChunkPages, pages - page);
            int from = Math.Max(0, (page * (int)PageSize.Small) - inPage);
            int to = Math.Min(target.Length, ((page + count) * (int)PageSize.Small) - inPage);
            _table.Pin(tablePage + page, count);
            try
            {
                PageBring.IntoCache(_watcher.Core, _table, tablePage + page, count, PinState.Pinned);
                Exception? cause = null;
                if (!ReadFile(_table.OffsetOf(tablePage) + (ulong)(inPage + from), target[from..to], ref cause))
                {
                    throw cause!;
                }
            }
            finally
            {
                _table.Unpin(tablePage + page, count);
            }
        }
    }

    private bool ReadFile(ulong offset, Span<byte> target, ref Exception? cause)
    {
        if (!_table.TryEnterUse())
        {
            cause = new ObjectDisposedException(_table.Image.Name);
            return false;
        }

        try
        {
            SystemResult<int> read = _table.Image.File.Read(offset, target);
            if (read.IsOk && read.Value == target.Length)
            {
                return true;
            }

            cause = new MemoryEngineException("pread", _range, read.Errno, $"The page cache of '{_table.Image.Name}' could not be read for the snapshot.");
            return false;
        }
        finally
        {
            _table.ExitUse();
        }
    }

    /// <summary>An exception is an answer, too.</summary>
    private static async Task<StoreRead> BeginAsync(PagedImage image, ulong offset, byte[] bytes, CancellationToken limit)
    {
        try
        {
            return await image.Store.ReadAsync(offset, bytes, limit).ConfigureAwait(false);
        }
        catch (Exception cause)
        {
            return StoreRead.Failed(cause);
        }
    }

    /// <summary>What was never copied to the client is in the store alone.</summary>
    [SuppressMessage("Usage", "VSTHRD002", Justification = "A reader of a snapshot waits for its bytes, on its own thread.")]
    private void ReadStore(ulong offset, Span<byte> target)
    {
        PagedImage image = _table.Image;
        int length = offset < image.Length ? (int)Math.Min((ulong)target.Length, image.Length - offset) : 0;
        byte[] bytes = new byte[length];
        TimeSpan deadline = _watcher.Core.Options.LoadDeadline;
        var read = StoreRead.Of(0);
        if (length != 0)
        {
            // Not disposed: the store may look at its token for as long as it likes. The bytes are its own until then.
            CancellationTokenSource limit = new(deadline);
            Task<StoreRead> reading = BeginAsync(image, offset, bytes, limit.Token);
            read = Task.WaitAny([reading], deadline) == 0 ? reading.GetAwaiter().GetResult() : StoreRead.Failed(_table.OverdueCause);
        }

        if (!read.IsOk || read.BytesRead != length)
        {
            throw new PageLoadException(image.Name, offset, (ulong)target.Length, "the store failed", read.Cause);
        }

        bytes.CopyTo(target);
        target[length..].Clear();
    }

    /// <summary>Where the bytes of a page are.</summary>
    private enum Place
    {
        /// <summary>In the image, or in the store.</summary>
        Behind = 0,

        /// <summary>In a page that is the memory's own.</summary>
        Memory,

        /// <summary>Nowhere: discarded, it reads as zero.</summary>
        Nowhere,
    }
}
