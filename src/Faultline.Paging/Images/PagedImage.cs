using System;
using System.Diagnostics;
using System.Threading;

namespace Faultline.Paging;

/// <summary>An image: a memory file whose page cache all its clones share, filled from a store as pages are wanted.</summary>
public sealed class PagedImage : IDisposable
{
    private readonly Pager _pager;
    private readonly StoreOwnership _ownership;
    private long _replayedPages;
    private int _isDisposed;
    private WorkingSetRecorder? _recorder;
    private WorkingSetReplay? _replaying;

    internal PagedImage(Pager pager, PagerCore core, IPageStore store, string name, StoreOwnership ownership, IMemoryFile file)
    {
        _pager = pager;
        _ownership = ownership;
        Store = store;
        Name = name;
        Length = store.Length;
        File = file;
        Table = new LoadTable(core, this, baseOffset: 0, (int)PageSize.Small, (int)PageCount.FromBytes(Length).Value, fillsCache: true);
    }

    /// <summary>The name, for messages.</summary>
    public string Name { get; }

    /// <summary>The length of the store in bytes.</summary>
    public ulong Length { get; }

    /// <summary>The length that is mapped: <see cref="Length"/> rounded up to a page.</summary>
    public ulong MappedLength => PageCount.FromBytes(Length).Bytes;

    /// <summary>The memory file. Clients map it, shared or private; holes in it have not been brought, or are zero.</summary>
    public IMemoryFile File { get; }

    /// <summary>The trace that loads belong to which the pager makes for faults; by default each is a trace of its own. Loads for a lease
    /// belong to the trace of whoever wants the lease.</summary>
    public ActivityContext TraceContext { get; set; }

    internal IPageStore Store { get; }

    internal LoadTable Table { get; }

    /// <summary>Pages that replays installed ahead of a fault.</summary>
    internal long ReplayedPages => Interlocked.Read(ref _replayedPages);

    internal WorkingSetRecorder? Recorder => Volatile.Read(ref _recorder);

    internal WorkingSetReplay? Replaying => Volatile.Read(ref _replaying);

    internal bool IsDisposed => Volatile.Read(ref _isDisposed) != 0;

    /// <summary>Brings a part of the image into the cache, on the calling thread.</summary>
    /// <param name="offset">Where the part begins, in bytes.</param>
    /// <param name="length">Its length in bytes; what exceeds the image is ignored.</param>
    /// <exception cref="PageLoadException">A page could not be brought.</exception>
    public void ReadAhead(ulong offset, ulong length)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (offset >= MappedLength || length == 0)
        {
            return;
        }

        int first = (int)(offset / PageSize.Small);
        int end = (int)PageCount.FromBytes(offset + Math.Min(length, MappedLength - offset)).Value;
        PageBring.IntoCache(Table.Core, Table, first, end - first);
    }

    /// <summary>Begins to note which pages clients touch, in order: those that map the image, not those that receive copies.</summary>
    /// <returns>The recorder. One image has one at a time.</returns>
    /// <exception cref="InvalidOperationException">There is one already.</exception>
    public WorkingSetRecorder Record()
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        WorkingSetRecorder recorder = new(this);
        return Interlocked.CompareExchange(ref _recorder, recorder, null) is null
            ? recorder
            : throw new InvalidOperationException($"The touches of '{Name}' are being recorded already.");
    }

    /// <summary>Brings a working set ahead of the faults, on threads of its own, and installs it in the clients that map the image.</summary>
    /// <param name="set">What to bring; recorded of an image of the same length.</param>
    /// <param name="readsAtOnce">How many reads of the store are under way at a time.</param>
    /// <param name="start">When it begins.</param>
    /// <returns>The replay; it ends by itself, or when it is disposed.</returns>
    /// <exception cref="ArgumentException">The working set is of an image of another length.</exception>
    /// <exception cref="InvalidOperationException">There is one already.</exception>
    public WorkingSetReplay Replay(WorkingSet set, int readsAtOnce = 16, ReplayStart start = ReplayStart.AtOnce)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        ArgumentNullException.ThrowIfNull(set);
        ArgumentOutOfRangeException.ThrowIfLessThan(readsAtOnce, 1);
        if (set.ImageBytes != Length)
        {
            throw new ArgumentException($"The working set is of an image of {set.ImageBytes} bytes; '{Name}' has {Length}.", nameof(set));
        }

        WorkingSetReplay replay = new(this, set, readsAtOnce);
        if (Interlocked.CompareExchange(ref _replaying, replay, null) is not null)
        {
            throw new InvalidOperationException($"A working set of '{Name}' is being replayed already.");
        }

        replay.Begin(start);
        return replay;
    }

    /// <summary>What the image holds and has cost so far.</summary>
    public ImageStatistics GetStatistics() => new()
    {
        Pages = Table.Count,
        CachedPages = Table.States.Total(PageState.Cached),
        ZeroPages = Table.States.Total(PageState.Zero),
        LoadingPages = Table.States.Total(PageState.Loading),
        FailedPages = Table.States.Total(PageState.Failed),
        StoreReads = Table.StoreReads,
        StoreBytes = Table.StoreBytes,
        FailedLoads = Table.FailedLoads,
        PagesEvicted = Table.EvictedPages,
        PagesGuessed = Table.Guesses.Guessed,
        PagesGuessedUsed = Table.Guesses.Used,
        LoadsAvoided = Table.Guesses.LoadsAvoided,
        GuessesPromoted = Table.Guesses.Promoted,
        GuessesGivenUp = Table.Guesses.GivenUp,
        WrittenPages = Table.Writes?.CountWritten() ?? 0,
        PagesWrittenBack = Table.Writes?.StoredPages ?? 0,
        FailedWrites = Table.Writes?.FailedStores ?? 0,
    };

    /// <summary>
    /// Gives the store everything that was written through shared mappings before this call. Clients may go on writing meanwhile; what they write is
    /// stored now or later.
    /// </summary>
    /// <exception cref="WriteBackException">Something could not be stored. It stays in memory, and this may be called again.</exception>
    public void Flush()
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (Table.Writes is not null)
        {
            WriteBack.Flush(Table);
        }
    }

    /// <summary>
    /// Ends the image. Clients that map it are detached first: pages they have not got become errors. What was written and is not stored is given to the
    /// store; if that fails nobody is told, so call <see cref="Flush"/> before.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            Replaying?.Dispose();
            _pager.Close(this);
            FlushRest();
            File.Dispose();
            if (_ownership == StoreOwnership.Image)
            {
                Store.Dispose();
            }
        }
    }

    internal void NoteReplayed(int pages) => Interlocked.Add(ref _replayedPages, pages);

    private void FlushRest()
    {
        try
        {
            if (Table.Writes is not null)
            {
                WriteBack.Flush(Table);
            }
        }
        catch (WriteBackException)
        {
            // Said in the documentation: there is nobody left to tell.
        }
    }

    internal void StopRecording(WorkingSetRecorder recorder) => Interlocked.CompareExchange(ref _recorder, null, recorder);

    internal void StopReplay(WorkingSetReplay replay) => Interlocked.CompareExchange(ref _replaying, null, replay);

    /// <summary>Throws if a region cannot show this part of the image in this way.</summary>
    internal void RequireRoomFor(AddressRange range, ulong imageOffset, RegionKind kind, ulong pageBytes)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        bool isImage = kind != RegionKind.Copied;
        Require(
            pageBytes == PageSize.Small || (pageBytes == PageSize.Huge && !isImage),
            $"Pages of {pageBytes} bytes cannot be served as {kind}; use 4096, or 2097152 with Copied.");
        Require(
            range.Length != 0 && range.Start.IsAligned(pageBytes) && range.Length % pageBytes == 0,
            $"The range {range} is not made of whole pages of {pageBytes} bytes.");
        Require(imageOffset % PageSize.Small == 0, $"The offset 0x{imageOffset:x} in the image is not a multiple of a page.");
        ulong room = kind == RegionKind.Copied ? (Length + pageBytes - 1) / pageBytes * pageBytes : MappedLength;
        Require(
            imageOffset <= room && range.Length <= room - imageOffset,
            $"The range {range} at offset 0x{imageOffset:x} goes beyond the image '{Name}' of 0x{Length:x} bytes.");
        if (kind == RegionKind.SharedImage && Table.BudgetPages != 0 && Store is not IWritablePageStore)
        {
            throw new InvalidOperationException(
                $"The image '{Name}' has a budget, so its pages may be dropped and read again; what is written through a shared mapping would be lost." +
                " Map it private, leave the budget out, or open it from a store that takes writes back (IWritablePageStore).");
        }
    }

    /// <summary>Throws if writes through a region of this kind must be seen, and the context would let them pass.</summary>
    internal void RequireWritesSeen(RegionKind kind, UserfaultfdFeatures features)
    {
        if (kind == RegionKind.SharedImage && Store is IWritablePageStore && (features & UserfaultfdFeatures.WriteProtectAsync) != 0)
        {
            throw new InvalidOperationException(
                $"What is written through a shared mapping of '{Name}' goes back to its store, and a context with WP_ASYNC does not tell of writes. Open it without.");
        }
    }

    private static void Require(bool range, string message)
    {
        if (!range)
        {
            throw new ArgumentException(message, nameof(range));
        }
    }
}
