using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;
using Microsoft.Extensions.Logging.Abstractions;

namespace Faultline.Paging;

/// <summary>
/// What the parts of a pager share: the clock, the poller, the clients and tables there are, and the threads. Lock order, outermost first:
/// registry, a client's
/// guard, a table, parking, spares (<see cref="LockRank"/>).
/// </summary>
internal sealed class PagerCore : IDisposable
{
    private readonly RankedLock _registry = new(LockRank.PagerRegistry);
    private readonly ConcurrentQueue<PageLoad> _endedLoads = new();
    private readonly SeamThread[] _handlers;
    private readonly Timekeeper _timekeeper;
    private readonly double _nanosecondsPerTick;

    private readonly LastOut _pollerUses;
    private long _batch;

    /// <summary>The thread that evicts in the background, once an image has a budget that leaves it something to do.</summary>
    private Evictor? _evictor;

    /// <summary>The clients by tag. Replaced, never changed, under the registry lock; read without it.</summary>
    private PagerClient?[] _clients = [];

    /// <summary>The tables whose loads have a deadline. Replaced, never changed, under the registry lock; read without it.</summary>
    private LoadTable[] _tables = [];

    /// <summary>What ended clients had counted. Guard: the registry lock.</summary>
    private readonly PagerCounters _ended = new();

    /// <summary>What ended tables had counted. Guard: the registry lock.</summary>
    private readonly StatisticsSum _endedTables = new();

    /// <summary>Zeroes for the largest page asked for so far.</summary>
    private byte[] _zeroes = GC.AllocateArray<byte>((int)PageSize.Small, pinned: true);

    public PagerCore(IMemoryEngine engine, PagerOptions options)
    {
        Engine = engine;
        Options = options;
        _nanosecondsPerTick = 1e9 / options.TimeProvider.TimestampFrequency;
        Log = new PagerLog((options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger(PagingTelemetry.LogCategory), options.TimeProvider);
        Poller = engine.CreatePoller();
        Buffers = new BufferPool(options.LoadBytes);
        Loads = new LoadPool(this);
        Parking = new FaultParking();
        Prefetcher = new Prefetcher(this);
        Loop = new FaultLoop(this);
        _timekeeper = new Timekeeper(this);
        _handlers = new SeamThread[options.HandlerThreads];
        _pollerUses = new LastOut(Poller, options.HandlerThreads + 1);
        for (int i = 0; i < _handlers.Length; i++)
        {
            _handlers[i] = Seam.Start($"faultline-handler-{i}", Handle);
        }

        Name = PagerMetrics.Add(this, options.Name);
        Log.PagerStarted(Name, engine.Name, options.HandlerThreads, options.BudgetBytes);
    }

    /// <summary>The name in metrics; no other open pager of this process has it.</summary>
    public string Name
    {
        get;
        set
        {
            field = value;
            NameTag = new(TelemetryTag.Pager, value);
        }
    } = string.Empty;

    /// <summary><see cref="Name"/>, for measurements.</summary>
    public KeyValuePair<string, object?> NameTag { get; private set; }

    public PagerLog Log { get; }

    public IMemoryEngine Engine { get; }

    public PagerOptions Options { get; }

    public IUserfaultfdPoller Poller { get; }

    public BufferPool Buffers { get; }

    public LoadPool Loads { get; }

    public WorkerPool Workers { get; } = new();

    public FaultParking Parking { get; }

    public FaultLoop Loop { get; }

    public Prefetcher Prefetcher { get; }

    public LifeSigns LifeSigns { get; } = new();

    public PagerClient?[] Clients
    {
        get
        {
            Seam.Touch(this, TouchKind.Read);
            return Volatile.Read(ref _clients);
        }
    }

    public LoadTable[] Tables
    {
        get
        {
            Seam.Touch(this, TouchKind.Read, place: 1);
            return Volatile.Read(ref _tables);
        }
    }

    /// <summary>
    /// The number of the last batch of messages read. A fault of a batch with this number or a lower one was asleep before now, whatever
    /// the clock says: an install made from here on
    /// wakes it.
    /// </summary>
    public long LastBatch
    {
        get
        {
            Seam.Touch(this, TouchKind.Read, place: 2);
            return Interlocked.Read(ref _batch);
        }
    }

    public long NextBatch()
    {
        Seam.Touch(this, TouchKind.Write, place: 2);
        return Interlocked.Increment(ref _batch);
    }

    /// <summary>The pager's clock, in ticks of its time provider.</summary>
    public long Now() => Options.TimeProvider.GetTimestamp();

    public TimeSpan Elapsed(long from, long to) => Options.TimeProvider.GetElapsedTime(from, to);

    public long Nanoseconds(long from, long to) => (long)((to - from) * _nanosecondsPerTick);

    public double Seconds(long from, long to) => (to - from) * _nanosecondsPerTick / 1e9;

    public long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Options.TimeProvider.TimestampFrequency);

    public PagerClient? FindClient(long tag)
    {
        PagerClient?[] clients = Clients;
        return tag >= 0 && tag < clients.Length ? clients[tag] : null;
    }

    public ReadOnlySpan<byte> Zeroes(int bytes)
    {
        byte[] zeroes = Volatile.Read(ref _zeroes);
        if (zeroes.Length < bytes)
        {
            zeroes = GC.AllocateArray<byte>(bytes, pinned: true);
            Volatile.Write(ref _zeroes, zeroes);
        }

        return zeroes.AsSpan(0, bytes);
    }

    /// <summary>A store has answered on some other thread: a handler takes it from here.</summary>
    public void LoadEnded(PageLoad load)
    {
        if (!load.IsWanted && Prefetcher.TryTake(load))
        {
            return;
        }

        Seam.Touch(_endedLoads, TouchKind.Write);
        _endedLoads.Enqueue(load);
        try
        {
            Poller.Wake();
        }
        catch (ObjectDisposedException)
        {
            // The pager is closed: the load was abandoned, and nobody waits for it.
        }
    }

    public void TakeEndedLoads(FaultWorker worker)
    {
        Seam.Touch(_endedLoads, TouchKind.Write);
        while (_endedLoads.TryDequeue(out PageLoad? load))
        {
            PageFill.End(this, load, worker);
            Loop.Work(worker);
        }
    }

    /// <summary>Begins to serve a client. It may have regions already (a forked one).</summary>
    public void Register(PagerClient client)
    {
        using RankedLock.Scope held = _registry.Enter();
        int tag = Array.IndexOf(_clients, null);
        if (tag < 0)
        {
            tag = _clients.Length;
        }

        var clients = new PagerClient?[Math.Max(_clients.Length, tag + 1)];
        _clients.CopyTo(clients, 0);
        clients[tag] = client;
        Seam.Touch(this, TouchKind.Write);
        Volatile.Write(ref _clients, clients);
        SystemResult added = Poller.Add(client.Context, tag);
        if (!added.IsOk)
        {
            clients = (PagerClient?[])clients.Clone();
            clients[tag] = null;
            Seam.Touch(this, TouchKind.Write);
            Volatile.Write(ref _clients, clients);
            throw new MemoryEngineException(
                "epoll_ctl",
                default,
                added.Errno,
                "A userfaultfd must be opened with NonBlocking, and be given to one pager once.");
        }

        client.Tag = tag;
    }

    /// <summary>What the clients have counted, those that have ended included; by <see cref="PagerCounter"/>.</summary>
    public long[] CounterTotals()
    {
        long[] totals = new long[(int)PagerCounter.Count];
        using RankedLock.Scope held = _registry.Enter();
        _ended.AddTo(totals);
        foreach (PagerClient? client in _clients)
        {
            client?.Counters.AddTo(totals);
        }

        return totals;
    }

    public void RegisterTable(LoadTable table)
    {
        using RankedLock.Scope held = _registry.Enter();
        if (Array.IndexOf(_tables, table) < 0)
        {
            Seam.Touch(this, TouchKind.Write, place: 1);
            Volatile.Write(ref _tables, [.. _tables, table]);
            if (table.HeadroomPages != 0)
            {
                _evictor ??= new Evictor(this);
            }
        }
    }

    /// <summary>Has pages evicted in the background, also where a budget is too small to keep a part of it free.</summary>
    public void WakeEvictor()
    {
        if (Volatile.Read(ref _evictor) is not { } evictor)
        {
            using RankedLock.Scope held = _registry.Enter();
            evictor = _evictor ??= new Evictor(this);
        }

        evictor.Wake();
    }

    /// <summary>Has pages evicted in the background if an image has little room left.</summary>
    public void WakeEvictor(LoadTable table)
    {
        if (table.HeadroomPages != 0)
        {
            Volatile.Read(ref _evictor)?.WakeFor(table);
        }
    }

    public void UnregisterTable(LoadTable table)
    {
        using RankedLock.Scope held = _registry.Enter();
        if (Array.IndexOf(_tables, table) >= 0)
        {
            Seam.Touch(this, TouchKind.Write, place: 1);
            Volatile.Write(ref _tables, Array.FindAll(_tables, other => !ReferenceEquals(other, table)));
            if (table.FillsCache)
            {
                _endedTables.Add(table);
            }
            else
            {
                // Copies for a client that has ended: the image has read them, and outlives its clients.
                table.Image.Table.Absorb(table);
            }
        }
    }

    /// <summary>Attaches the child that a FORK event brought.</summary>
    public PagerClient AttachFork(ForkedClient fork)
    {
        PagerClient child = new(this, fork.Context, $"{fork.Parent.Name}'s child", fork.Parent);
        child.Adopt(fork.Regions);
        try
        {
            Register(child);
            ClearInheritedMarkers(child);
        }
        catch (MemoryEngineException cause)
        {
            // It cannot be waited on: what it has not got becomes an error there, rather than zeroes.
            Log.ForkNotServed(child.Name, cause);
            child.Detach(DetachPolicy.Poison);
        }

        return child;
    }

    /// <summary>A child inherits the protection of what is tracked in its parent, and nobody tracks it there.</summary>
    private static void ClearInheritedMarkers(PagerClient child)
    {
        foreach (Region region in child.RegionArray)
        {
            if (region.Pages.HasMarkers && !region.Pages.WritesBack)
            {
                region.Pages.HasMarkers = ServedWatch.TakeProtectionAway(child, region.Pages) != Errno.None;
            }
        }
    }

    /// <summary>Serves a client no more. Its context is closed, and whoever still waits in it goes the engine's ordinary way.</summary>
    public void EndClient(PagerClient client, ClientEnd end)
    {
        using (RankedSharedLock.WriteScope held = client.Guard.EnterWrite())
        {
            if (!client.TryMarkEnded())
            {
                return;
            }
        }

        Poller.Remove(client.Context);
        using (RankedLock.Scope held = _registry.Enter())
        {
            if (client.Tag >= 0)
            {
                var clients = (PagerClient?[])_clients.Clone();
                clients[client.Tag] = null;
                Seam.Touch(this, TouchKind.Write);
                Volatile.Write(ref _clients, clients);
            }

            _ended.Absorb(client.Counters);
        }

        client.Context.Dispose();
        foreach (Region region in client.RegionArray)
        {
            if (!region.Pages.Table.FillsCache)
            {
                UnregisterTable(region.Pages.Table);
            }
        }

        client.Complete(end);
        Log.ClientEnded(client, end);
    }

    /// <summary>Pages have left the cache, and so every mapping that had not made a copy of its own.</summary>
    public void ForgetInstalled(LoadTable table, int first, int count)
    {
        foreach (PagerClient? client in Clients)
        {
            foreach (Region region in client?.RegionArray ?? [])
            {
                if (ReferenceEquals(region.Pages.Table, table))
                {
                    int low = Math.Max(first - region.Pages.TableBase, region.FirstPage);
                    int high = Math.Min(first + count - region.Pages.TableBase, region.EndPage);
                    if (low < high)
                    {
                        region.Pages.Installed.Clear(low, high - low);
                    }
                }
            }
        }
    }

    /// <summary>Fails the loads that have taken longer than the deadline.</summary>
    public void AbandonOverdue(FaultWorker worker)
    {
        long latest = Now() - Ticks(Options.LoadDeadline);
        foreach (LoadTable table in Tables)
        {
            table.AbandonStartedBefore(latest, worker, table.OverdueCause);
            LoadEnding.TellAbandoned(this, worker, table.OverdueCause);
        }

        Loop.Work(worker);
    }

    /// <summary>Loads nothing more from a table, and fails what is in flight.</summary>
    public void CloseTable(LoadTable table, Exception cause)
    {
        table.Close(cause);
        FaultWorker worker = Workers.Rent();
        table.AbandonStartedBefore(long.MaxValue, worker, cause);
        LoadEnding.TellAbandoned(this, worker, cause);
        Loop.Work(worker);
        Workers.Return(worker);
        while (table.HasUsers)
        {
            // A write or a punch of its file that had begun: over in a moment.
            Seam.Yield();
            Thread.Yield();
        }
    }

    public PagerStatistics Sum()
    {
        StatisticsSum sum = new();
        using (RankedLock.Scope held = _registry.Enter())
        {
            sum.Add(_ended);
            foreach (PagerClient? client in _clients)
            {
                if (client is not null)
                {
                    sum.Add(client.Counters);
                }
            }

            foreach (LoadTable table in _tables)
            {
                sum.Add(table);
            }

            sum.AddTables(_endedTables);
        }

        return sum.ToStatistics();
    }

    /// <summary>Stops the threads. Clients have been detached and tables closed before.</summary>
    public void Dispose()
    {
        PagerMetrics.Remove(this);
        Log.PagerClosed(Name);
        Prefetcher.Dispose();
        _timekeeper.Dispose();
        Poller.Stop();
        foreach (SeamThread handler in _handlers)
        {
            _ = handler.IsCurrent || handler.Join(Options.LoadDeadline);
        }

        // After the handlers, who wake it.
        Volatile.Read(ref _evictor)?.Dispose();
        Workers.Dispose();

        // A handler that a store keeps finds everything closed when it returns, and is the last one out.
        _pollerUses.Leave();
    }

    private void Handle()
    {
        // Not in the trace of whoever made the pager: that is over long before.
        Activity.Current = null;
        using FaultWorker worker = new();
        try
        {
            Loop.Run(worker);
        }
        finally
        {
            _pollerUses.Leave();
        }
    }
}
