using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

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
    private readonly PagedImage _image;
    private readonly List<ReplayBatch> _batches;
    private readonly BlockingCollection<(ReplayBatch? Batch, PagerClient? Client)> _toInstall = [];
    private readonly List<ReplayBatch> _loaded = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread[] _loaders;
    private readonly Thread _installer;
    private Activity? _activity;
    private int _hasBegun;
    private int _next;
    private int _loading;
    private long _pagesLoaded;
    private long _pagesInstalled;

    internal WorkingSetReplay(PagedImage image, WorkingSet set, int readsAtOnce)
    {
        _image = image;
        _batches = ReplayBatch.Of(set, image.Table.ChunkPages, image.Table.WindowPages);
        _loading = Math.Max(1, Math.Min(readsAtOnce, _batches.Count));
        _loaders = new Thread[_loading];
        for (int i = 0; i < _loaders.Length; i++)
        {
            _loaders[i] = new Thread(Load) { IsBackground = true, Name = $"faultline-replay-{i}" };
        }

        _installer = new Thread(Install) { IsBackground = true, Name = "faultline-replay-install" };
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
        _stop.Cancel();
        _image.StopReplay(this);

        Complete();

        // If it never began, it does not begin any more.
        if (Interlocked.Exchange(ref _hasBegun, 1) != 0)
        {
            foreach (Thread loader in _loaders)
            {
                loader.Join();
            }
        }

        if (!_toInstall.IsAddingCompleted)
        {
            _toInstall.CompleteAdding();
        }

        _installer.Join();
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
        _installer.Start();
        if (start == ReplayStart.AtOnce)
        {
            BeginToLoad();
        }
    }

    /// <summary>A client was added, or got a region: it is given what has come so far.</summary>
    internal void Serve(PagerClient client)
    {
        BeginToLoad();
        try
        {
            _toInstall.Add((null, client));
        }
        catch (InvalidOperationException)
        {
            // Ended meanwhile: its faults find the pages in the cache.
        }
    }

    private void BeginToLoad()
    {
        if (Interlocked.Exchange(ref _hasBegun, 1) != 0)
        {
            return;
        }

        Activity? activity = PagerTraces.BeginBeside(PagerTraces.ReplayName, _image.TraceContext);
        activity?.SetTag(TelemetryTag.Image, _image.Name);
        Volatile.Write(ref _activity, activity);
        foreach (Thread loader in _loaders)
        {
            loader.Start();
        }
    }

    private void Load()
    {
        LoadTable table = _image.Table;
        Activity.Current = Volatile.Read(ref _activity);
        while (!_stop.IsCancellationRequested && Interlocked.Increment(ref _next) - 1 is int index && index < _batches.Count)
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
            _toInstall.Add((batch, null));
        }

        // The last one out: from here on only clients come.
        if (Interlocked.Decrement(ref _loading) == 0)
        {
            _toInstall.Add((null, null));
        }
    }

    private void Install()
    {
        foreach ((ReplayBatch? batch, PagerClient? added) in _toInstall.GetConsumingEnumerable())
        {
            if (_stop.IsCancellationRequested)
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
