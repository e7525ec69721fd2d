using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>
/// Brings a working set ahead of the faults: several reads of the store at a time, and what has come is installed in every client of the image, and
/// in those that are added later, in large ranges that are woken once.
/// </summary>
/// <remarks>
/// It works on threads of its own: a wanted page never waits for a guess, except for one whose read has begun already, which it joins. It ends by
/// itself; a budget ends it when three quarters of it are taken. What fails is left to the faults.
/// </remarks>
public sealed class WorkingSetReplay : IDisposable
{
    private const int NextPlace = 1;
    private const int LoadingPlace = 2;

    private readonly PagedImage _image;
    private readonly RankedLock _lock = new(LockRank.PagerGuesses);
    private readonly List<ReplayBatch> _batches;
    private readonly ReplayQueue _toInstall = new();
    private readonly List<ReplayBatch> _loaded = [];
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SeamThread?[] _loaders;
    private SeamThread? _installer;
    private Activity? _activity;

    /// <summary>Guard: the lock, as of the threads' beginning.</summary>
    private bool _hasBegun;

    private volatile bool _isStopped;
    private int _next;
    private int _loading;
    private long _pagesLoaded;
    private long _pagesInstalled;

    internal WorkingSetReplay(PagedImage image, WorkingSet set, int readsAtOnce)
    {
        _image = image;
        _batches = ReplayBatch.Of(set, image.Table.ChunkPages, image.Table.WindowPages);
        _loading = Math.Max(1, Math.Min(readsAtOnce, _batches.Count));
        _loaders = new SeamThread?[_loading];
    }

    /// <summary>Ends when everything was brought, and installed in the clients there are.</summary>
    public Task Completion => _completion.Task;

    /// <summary>The pages of the working set that are in the cache because of this, or were before.</summary>
    public long PagesLoaded => Interlocked.Read(ref _pagesLoaded);

    /// <summary>The pages installed ahead of a fault, in all clients together.</summary>
    public long PagesInstalled => Interlocked.Read(ref _pagesInstalled);

    /// <summary>Ends it early. What was brought stays.</summary>
    public void Dispose()
    {
        using (RankedLock.Scope held = _lock.Enter())
        {
            // If it never began, it does not begin any more.
            Seam.Touch(this, TouchKind.Write);
            _isStopped = true;
            _hasBegun = true;
        }

        _image.StopReplay(this);
        Complete();
        foreach (SeamThread? loader in _loaders)
        {
            loader?.Join();
        }

        _toInstall.Dispose();
        _installer?.Join();
        _completion.TrySetResult();
    }

    /// <summary>Ends the activity, once.</summary>
    private void Complete()
    {
        if (Interlocked.Exchange(ref _activity, null) is { } activity)
        {
            activity.SetTag("faultline.replay.pages_loaded", PagesLoaded);
            activity.SetTag("faultline.replay.pages_installed", PagesInstalled);
            PagerTraces.EndBeside(activity);
        }
    }

    internal void Begin(ReplayStart start)
    {
        _installer = Seam.Start("faultline-replay-install", Install);
        if (start == ReplayStart.AtOnce)
        {
            BeginToLoad();
        }
    }

    /// <summary>A client was added, or got a region: it is given what has come so far.</summary>
    internal void Serve(PagerClient client)
    {
        BeginToLoad();

        // If it has ended meanwhile, the client's faults find the pages in the cache.
        _toInstall.Add(null, client);
    }

    private void BeginToLoad()
    {
        using RankedLock.Scope held = _lock.Enter();
        if (_hasBegun)
        {
            return;
        }

        _hasBegun = true;
        Activity? activity = PagerTraces.BeginBeside(PagerTraces.ReplayName, _image.TraceContext);
        activity?.SetTag(TelemetryTag.Image, _image.Name);
        Volatile.Write(ref _activity, activity);
        for (int i = 0; i < _loaders.Length; i++)
        {
            _loaders[i] = Seam.Start($"faultline-replay-{i}", Load);
        }
    }

    private bool IsStopped
    {
        get
        {
            Seam.Touch(this, TouchKind.Read);
            return _isStopped;
        }
    }

    private int Next()
    {
        Seam.Touch(this, TouchKind.Write, NextPlace);
        return Interlocked.Increment(ref _next) - 1;
    }

    private void Load()
    {
        LoadTable table = _image.Table;
        Activity.Current = Volatile.Read(ref _activity);
        while (!IsStopped && Next() is int index && index < _batches.Count)
        {
            if (table.BudgetPages != 0 && table.States.Total(PageState.Cached) > table.BudgetPages * 3L / 4)
            {
                break;
            }

            ReplayBatch batch = _batches[index];
            try
            {
                foreach ((int first, int count) in batch.Reads)
                {
                    PageBring.IntoCache(table.Core, table, first, Math.Min(count, table.Count - first));
                }
            }
            catch (PageLoadException)
            {
                // Whoever wants these pages gets the error, or a new attempt.
                continue;
            }

            Interlocked.Add(ref _pagesLoaded, batch.Pages);
            _toInstall.Add(batch, null);
        }

        // The last one out: from here on only clients come.
        Seam.Touch(this, TouchKind.Write, LoadingPlace);
        if (Interlocked.Decrement(ref _loading) == 0)
        {
            _toInstall.Add(null, null);
        }
    }

    private void Install()
    {
        while (_toInstall.TryTake(out ReplayBatch? batch, out PagerClient? added))
        {
            if (IsStopped)
            {
                continue;
            }

            if (batch is not null)
            {
                _loaded.Add(batch);
                foreach (PagerClient? client in _image.Table.Core.Clients)
                {
                    if (client is not null)
                    {
                        InstallBatch(client, batch);
                    }
                }
            }
            else if (added is not null)
            {
                _loaded.ForEach(loaded => InstallBatch(added, loaded));
            }
            else
            {
                Complete();
                _completion.TrySetResult();
            }
        }
    }

    private void InstallBatch(PagerClient client, ReplayBatch batch)
    {
        foreach (Region region in client.RegionArray)
        {
            if (ReferenceEquals(region.Pages.Table, _image.Table))
            {
                int installed = PageBring.InstallQuietly(_image.Table.Core, client, region, batch.Touched);
                Interlocked.Add(ref _pagesInstalled, installed);
                _image.NoteReplayed(installed);
            }
        }
    }
}
