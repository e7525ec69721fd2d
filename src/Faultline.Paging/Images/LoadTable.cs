using System;
using System.Collections.Generic;
using System.Threading;
using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>
/// The pages of an image, their states, and the loads in flight. A page is loaded once however many ask: the first claims it, the others join.
/// </summary>
/// <remarks>
/// There is one for each image, whose loads fill the page cache, and one for each region that receives copies, whose loads go to
/// that region. Lock: <see cref="LockRank.PagerImage"/>. Store reads are made without it.
/// </remarks>
internal sealed class LoadTable
{
    private readonly RankedLock _lock = new(LockRank.PagerImage);
    private readonly PageStates _states;

    /// <summary>The loads in flight. Guard: the lock.</summary>
    private readonly List<PageLoad> _loads = [];

    private readonly TableGate _gate = new();

    private long _storeReads;
    private long _storeBytes;
    private long _failedLoads;

    public LoadTable(PagerCore core, PagedImage image, ulong baseOffset, int pageBytes, int count, bool fillsCache)
    {
        Core = core;
        Image = image;
        BaseOffset = baseOffset;
        PageBytes = pageBytes;
        FillsCache = fillsCache;
        OverdueCause = new TimeoutException($"The store of '{image.Name}' did not answer within {core.Options.LoadDeadline}.");
        ChunkPages = Math.Max(1, core.Options.LoadBytes / pageBytes);
        WindowPages = Math.Max(ChunkPages, core.Options.SequentialWindowBytes / pageBytes);
        _states = new PageStates(count);
        if (fillsCache && core.Options.Budget is { } budget)
        {
            BudgetPages = (long)(budget.Bytes / PageSize.Small);
            WindowPages = (int)Math.Clamp(BudgetPages / 4, ChunkPages, WindowPages) / ChunkPages * ChunkPages;
            long headroom = (long?)(budget.HeadroomBytes / PageSize.Small) ?? Math.Min(BudgetPages / 8, Math.Max(BudgetPages / 16, 2L * WindowPages));
            HeadroomPages = headroom / ChunkPages * ChunkPages;
        }

        long guessRoom = BudgetPages - Math.Max(HeadroomPages / 2, ChunkPages);
        Guesses = new GuessLedger(core.Options.Prefetch, fillsCache ? count : 0, guessRoom, image.Store.ReadsAtOnce);

        bool mayEvict = BudgetPages != 0 || (fillsCache && image.Store is IWritablePageStore);
        CacheChunks? chunks = mayEvict ? new(_states, ChunkPages, core.Options.Budget?.Policy?.Invoke() ?? new ClockEviction()) : null;
        Eviction = new TableEviction(this, _lock, _states, chunks);
    }

    public PagerCore Core { get; }

    public PagedImage Image { get; }

    /// <summary>Who receives the copies, if they are not for the cache. Set once, before the first fault.</summary>
    public PagerClient? Client { get; set; }

    /// <summary>Where page zero is in the image, in bytes.</summary>
    public ulong BaseOffset { get; }

    public int PageBytes { get; }

    /// <summary>Whether loads end in the image's page cache; else they are copied to one client.</summary>
    public bool FillsCache { get; }

    /// <summary>The pages of one ordinary load.</summary>
    public int ChunkPages { get; }

    /// <summary>The most pages of one load.</summary>
    public int WindowPages { get; }

    /// <summary>The most pages kept in the cache, or zero for no limit.</summary>
    public long BudgetPages { get; }

    /// <summary>What was written and is not stored, or null as long as nobody maps the image shared, or the store is not writable.</summary>
    public TableWrites? Writes => Eviction.Writes;

    /// <summary>What leaves the cache.</summary>
    public TableEviction Eviction { get; }

    /// <summary>How many pages of the budget are kept free in the background.</summary>
    public long HeadroomPages { get; }

    /// <summary>How many pages of the budget are free; fewer than none if loads wait for room.</summary>
    public long FreePages => BudgetPages - Occupied;

    public PageStates States => _states;

    /// <summary>What was brought for nobody yet.</summary>
    public GuessLedger Guesses { get; }

    public int Count => _states.Count;

    public long StoreReads => Volatile.Read(ref _storeReads);

    public long StoreBytes => Volatile.Read(ref _storeBytes);

    public long FailedLoads => Volatile.Read(ref _failedLoads);

    public long EvictedPages => Eviction.EvictedPages;

    /// <summary>Whether more is in the cache, or on its way there, than the budget allows.</summary>
    public bool IsOverBudget => BudgetPages != 0 && Occupied > BudgetPages;

    private long Occupied => _states.Total(PageState.Cached) + _states.Total(PageState.Loading) + _states.Total(PageState.Evicting);

    /// <summary>How many loads are in flight, and how many faults wait for them.</summary>
    public (int Loads, int Waiters) InFlight()
    {
        using RankedLock.Scope held = _lock.Enter();
        int waiters = 0;
        foreach (PageLoad load in _loads)
        {
            waiters += load.Waiters.Count;
        }

        return (_loads.Count, waiters);
    }

    /// <summary>Counts what a table has read that received copies of this image, and has ended.</summary>
    public void Absorb(LoadTable ended)
    {
        using RankedLock.Scope held = _lock.Enter();
        _storeReads += ended.StoreReads;
        _storeBytes += ended.StoreBytes;
        _failedLoads += ended.FailedLoads;
    }

    public ulong OffsetOf(int page) => BaseOffset + (ulong)page * (ulong)PageBytes;

    /// <summary>The table itself if it is the image's; a new one for the copies another owner receives.</summary>
    public LoadTable ForNewOwner() => FillsCache ? this : new LoadTable(Core, Image, BaseOffset, PageBytes, Count, fillsCache: false);

    /// <summary>What waiters are told when a load does not end in time.</summary>
    public Exception OverdueCause { get; }

    /// <summary>Asks for the page a fault is about. Claims the absent pages of the window around it, too.</summary>
    /// <param name="page">The page.</param>
    /// <param name="first">The first page the load may bring.</param>
    /// <param name="end">The end of what the load may bring.</param>
    /// <param name="fault">The fault, which waits for the load if there is one.</param>
    /// <param name="load">The load, if the caller is to make it, or has joined it.</param>
    public ClaimKind Claim(int page, int first, int end, in PageFault fault, out PageLoad? load)
    {
        load = null;
        using RankedLock.Scope held = _lock.Enter();
        ClaimKind kind = AskLocked(page);
        if (kind == ClaimKind.Joined)
        {
            load = FindLocked(page);
            load.Waiters.Add(fault);
            Guesses.Promote(load, Core);
        }
        else if (kind == ClaimKind.Evicting)
        {
            Eviction.Waiters.Add(fault);
            kind = ClaimKind.Joined;
        }
        else if (kind == ClaimKind.Claimed)
        {
            int low = page;
            while (low > first && _states[low - 1] == PageState.Absent)
            {
                low--;
            }

            load = BeginLocked(low, page, end);
            load.Waiters.Add(fault);
        }

        return kind;
    }

    /// <summary>Asks for pages one after the other, on behalf of a lease.</summary>
    /// <param name="page">The first page; afterwards the first one not asked for.</param>
    /// <param name="end">The end of what is wanted.</param>
    /// <param name="wait">Is told when the load ends.</param>
    /// <param name="load">The load, if the caller is to make it, or has joined it.</param>
    public ClaimKind ClaimNext(ref int page, int end, LoadWait wait, out PageLoad? load)
    {
        load = null;
        using RankedLock.Scope held = _lock.Enter();
        ClaimKind kind = AskLocked(page);
        if (kind == ClaimKind.Ready)
        {
            do
            {
                page++;
            }
            while (page < end && AskLocked(page) == ClaimKind.Ready);
        }
        else if (kind == ClaimKind.Joined)
        {
            load = FindLocked(page);
            wait.Expect();
            load.LeaseWaiters.Add(wait);
            page = Math.Min(end, load.End);
            Guesses.Promote(load, Core);
        }
        else if (kind == ClaimKind.Claimed)
        {
            load = BeginLocked(page, page, Math.Min(end, page + WindowPages));
            wait.Expect();
            load.LeaseWaiters.Add(wait);
            page = load.End;
        }

        return kind;
    }

    /// <summary>Claims pages that nobody has asked for yet, if that is in nobody's way.</summary>
    public GuessStart TryBeginGuess(int first, int end, out PageLoad? load)
    {
        using RankedLock.Scope held = _lock.Enter();
        GuessStart start = ClosedBy is null ? Guesses.Look(_states, ref first, ref end, _loads.Count, Occupied) : GuessStart.GivenUp;
        load = start == GuessStart.Begun ? BeginLocked(first, first, end) : null;
        if (load is not null)
        {
            Guesses.Begin(load);
        }

        return start;
    }

    /// <summary>From here on the load may not be abandoned: its contents are on their way to where they belong.</summary>
    /// <returns>False if it was abandoned before: the contents must not be used.</returns>
    public bool BeginFill(PageLoad load)
    {
        using RankedLock.Scope held = _lock.Enter();
        if (load.Phase != LoadPhase.Reading)
        {
            return false;
        }

        load.Phase = LoadPhase.Filling;
        return true;
    }

    /// <summary>Ends a load: its pages take their new states, and whoever waits is handed to <paramref name="worker"/>.</summary>
    /// <param name="load">The load, in phase Filling or Reading.</param>
    /// <param name="worker">Receives the waiters.</param>
    /// <param name="zero">Which of its pages are zero.</param>
    /// <param name="cause">Why it failed, or null.</param>
    public void End(PageLoad load, FaultWorker worker, PageBits zero, Exception? cause)
    {
        using RankedLock.Scope held = _lock.Enter();
        if (load.Phase == LoadPhase.Abandoned)
        {
            return;
        }

        _storeReads++;
        _storeBytes += load.BytesRead;
        bool isKept = cause is null && FillsCache;
        if (!isKept)
        {
            _states.EndLoads(load.First, load.End, areFailed: cause is not null && load.IsWanted);
        }

        for (int page = load.First; isKept && page < load.End; page++)
        {
            if (zero[page - load.First])
            {
                _states.EndLoadZero(page);
            }
            else
            {
                _states.EndLoadCached(page);
                Eviction.NoteCached(page);
            }
        }

        MarkUsed(load.First);
        if (cause is null)
        {
            _states.ForgiveAround(load.First, load.End, WindowPages);
        }

        LetGoLocked(load, worker, cause, GoalAfter(load, cause));
    }

    /// <summary>
    /// What becomes of the faults that waited. A load of many pages that failed may have failed for one of them: each fault asks for its page alone,
    /// which the others' state of Failed sees to, and gets an answer of its own. Not if it has taken long: then there is no time for it.
    /// </summary>
    private FaultGoal GoalAfter(PageLoad load, Exception? cause) => cause is null
        ? FillsCache ? FaultGoal.Resolve : FaultGoal.Wake
        : (load.Count > 1 || load.IsGuess) && HasTimeFor(load.StartedAt) ? FaultGoal.Resolve : FaultGoal.Poison;

    /// <summary>Whether what was begun then may be tried again before its deadline.</summary>
    public bool HasTimeFor(long begun) => ClosedBy is null && Core.Elapsed(begun, Core.Now()) < Core.Options.LoadDeadline / 2;

    /// <summary>Gives a claim back, because the pages cannot be taken in now. Faults are put aside; leases are told the cause.</summary>
    public void GiveBack(PageLoad load, FaultWorker worker, FaultGoal goal, Exception? cause)
    {
        using RankedLock.Scope held = _lock.Enter();
        if (load.Phase == LoadPhase.Abandoned)
        {
            return;
        }

        _states.EndLoads(load.First, load.End, areFailed: false);
        LetGoLocked(load, worker, cause, goal);
    }

    /// <summary>Fails the loads that have been reading since before <paramref name="latest"/>. Their buffers stay with the reader until it
    /// returns.</summary>
    public void AbandonStartedBefore(long latest, FaultWorker worker, Exception cause)
    {
        using RankedLock.Scope held = _lock.Enter();
        for (int i = _loads.Count - 1; i >= 0; i--)
        {
            PageLoad load = _loads[i];
            if (load.Phase != LoadPhase.Reading || load.StartedAt >= latest)
            {
                continue;
            }

            _states.EndLoads(load.First, load.End, areFailed: load.IsWanted);
            LetGoLocked(load, worker, cause, FaultGoal.Poison);
            load.Phase = LoadPhase.Abandoned;
            worker.Abandoned.Add(new AbandonedLoad(Image.Name, OffsetOf(load.First), (ulong)load.Count * (ulong)PageBytes, load.TakeActivity()));
            load.Cancel();
        }
    }

    /// <summary>Loads nothing any more; whoever asks is told <paramref name="cause"/>.</summary>
    public void Close(Exception cause)
    {
        using RankedLock.Scope held = _lock.Enter();
        _gate.Close(cause);
    }

    /// <summary>Why nothing is loaded any more, or null.</summary>
    public Exception? ClosedBy => _gate.ClosedBy;

    /// <summary>Whether someone is between <see cref="TryEnterUse"/> and <see cref="ExitUse"/>.</summary>
    public bool HasUsers => _gate.HasUsers;

    /// <summary>Keeps the image's file open until <see cref="ExitUse"/>; false if the table is closed.</summary>
    public bool TryEnterUse() => _gate.TryEnter();

    public void ExitUse() => _gate.Exit();

    /// <summary>A shared mapping got a page of its own for a hole, or found one there.</summary>
    public void Materialise(int page)
    {
        using RankedLock.Scope held = _lock.Enter();
        _states.Materialise(page);
        Eviction.NoteCached(page);
    }

    /// <summary>The engine found no page where one was thought to be.</summary>
    public void LoseToHole(int page)
    {
        using RankedLock.Scope held = _lock.Enter();
        _states.LoseToHole(page);
    }

    /// <summary>Keeps pages in the cache until <see cref="Unpin"/>.</summary>
    public void Pin(int first, int count) => Eviction.Pin(first, count);

    /// <summary>Undoes one <see cref="Pin"/>.</summary>
    public void Unpin(int first, int count) => Eviction.Unpin(first, count);

    /// <summary>Notes that the chunk of a page is in use.</summary>
    public void MarkUsed(int page) => Eviction.MarkUsed(page);

    /// <summary>Forgets that a page is zero, so that it is loaded as bytes that can be protected and written.</summary>
    public void ForgetZero(int page)
    {
        using RankedLock.Scope held = _lock.Enter();
        _states.ForgetZero(page);
    }

    private ClaimKind AskLocked(int page) => _states[page] switch
    {
        PageState.Cached or PageState.Zero => ClaimKind.Ready,
        PageState.Loading => ClaimKind.Joined,
        PageState.Evicting or PageState.Held => ClaimKind.Evicting,
        _ => ClosedBy is null ? ClaimKind.Claimed : ClaimKind.Closed,
    };

    private PageLoad FindLocked(int page)
    {
        foreach (PageLoad load in _loads)
        {
            if (page >= load.First && page < load.End)
            {
                return load;
            }
        }

        throw new InvalidOperationException($"Page {page} of '{Image.Name}' is being loaded by nobody.");
    }

    /// <summary>Claims from <paramref name="low"/> on, over <paramref name="page"/>, and the absent pages after it up to
    /// <paramref name="end"/>.</summary>
    private PageLoad BeginLocked(int low, int page, int end)
    {
        int high = page + 1;
        while (high < end && _states[high] == PageState.Absent)
        {
            high++;
        }

        for (int claimed = low; claimed < high; claimed++)
        {
            _states.Claim(claimed);
        }

        PageLoad load = Core.Loads.Rent();
        load.Begin(this, low, high - low, Core.Now());
        _loads.Add(load);
        return load;
    }

    private void LetGoLocked(PageLoad load, FaultWorker worker, Exception? cause, FaultGoal goal)
    {
        _loads.Remove(load);
        Guesses.End(load, load.AnsweredLater ? Core.Nanoseconds(load.StartedAt, Core.Now()) : 0, cause is null && goal is FaultGoal.Resolve);
        Core.Prefetcher.SlotFreed();
        if (cause is not null && goal is FaultGoal.Poison or FaultGoal.Resolve)
        {
            _failedLoads++;
        }

        long now = PagerMetrics.LoadDuration.Enabled ? Core.Now() : 0;
        foreach (PageFault waiter in load.Waiters)
        {
            worker.Put(now == 0 ? waiter.For(goal) : waiter.AfterLoad(goal, load.StartedAt, now));
        }

        load.Waiters.Clear();
        foreach (LoadWait wait in load.LeaseWaiters)
        {
            wait.Tell(cause);
        }

        load.LeaseWaiters.Clear();
        _states.AssertInvariants();
    }
}
