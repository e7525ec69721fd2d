using System;
using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>
/// Letting go of a client that lives on. When its context closes, every fault goes the engine's ordinary way, and a page that is not in the
/// cache would read as zero without anyone
/// noticing. So first every page that is neither cached nor known to be zero becomes an error, then all are woken, and only then is the
/// context closed.
/// </summary>
internal static class ClientDetach
{
    /// <summary>How long an event of the client may keep us from its pages before we let go regardless.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static void Run(PagerCore core, PagerClient client, DetachPolicy policy)
    {
        if (policy == DetachPolicy.Complete)
        {
            PageBring.InstallAll(core, client);
        }

        using Parker pause = new();
        FaultWorker worker = core.Workers.Rent();
        long begun = core.Now();
        InstallAction stopped;
        do
        {
            stopped = TryLetGo(core, client, worker);
            foreach (ForkedClient fork in worker.Forks)
            {
                // Its memory is as incomplete as its parent's.
                core.AttachFork(fork).Detach(DetachPolicy.Poison);
            }

            worker.Forks.Clear();
            if (stopped == InstallAction.Park)
            {
                pause.Park(1);
            }
        }
        while (stopped == InstallAction.Park && core.Elapsed(begun, core.Now()) < Patience);

        core.EndClient(client, stopped == InstallAction.ClientGone ? ClientEnd.Exited : ClientEnd.Detached);
        core.Loop.Work(worker);
        core.Workers.Return(worker);
    }

    private static InstallAction TryLetGo(PagerCore core, PagerClient client, FaultWorker worker)
    {
        using RankedSharedLock.WriteScope held = client.Guard.EnterWrite();
        if (client.HasEnded)
        {
            return InstallAction.Done;
        }

        // Events must be read, or nothing can be installed; faults read here are woken below, like all others.
        FaultBatch.Drain(core, client, worker);
        foreach (Region region in client.RegionArray)
        {
            if (region.Pages.Table.FillsCache)
            {
                // Nothing that this client may still find in the cache may be taken out of it.
                region.Pages.Table.Eviction.Stop();
                if (region.Pages.WritesBack)
                {
                    region.Pages.Table.Writes!.AssumeWritten();
                }
            }

            InstallAction stopped = EndWatch(client, region) is { } busy and not InstallAction.Done ? busy : PoisonRest(core, client, region, worker);
            if (stopped is InstallAction.Park or InstallAction.ClientGone)
            {
                return stopped;
            }
        }

        foreach (Region region in client.RegionArray)
        {
            client.Context.Wake(region.Range);
            client.Context.Unregister(region.Range);
        }

        worker.Owed = default;
        return InstallAction.Done;
    }

    /// <summary>Whoever tracks the region sees nothing more of it; its protection and the markers of it go.</summary>
    private static InstallAction EndWatch(PagerClient client, Region region)
    {
        RegionPages pages = region.Pages;
        if (!pages.HasMarkers)
        {
            return InstallAction.Done;
        }

        Errno errno = ServedWatch.TakeProtectionAway(client, pages);
        if (errno is Errno.EAGAIN or Errno.ESRCH)
        {
            return errno == Errno.EAGAIN ? InstallAction.Park : InstallAction.ClientGone;
        }

        pages.Watch = null;
        pages.InstallsProtected = false;
        pages.HasMarkers = errno != Errno.None;
        return InstallAction.Done;
    }

    private static InstallAction PoisonRest(PagerCore core, PagerClient client, Region region, FaultWorker worker)
    {
        int page = region.FirstPage;
        while (page < region.EndPage)
        {
            RestKind kind = KindOf(region, page);
            int end = page + 1;
            while (end < region.EndPage && KindOf(region, end) == kind)
            {
                end++;
            }

            InstallEnd done = kind switch
            {
                RestKind.Zero => PageFill.InstallZero(core, client, region, page, end - page, worker),
                RestKind.Poison => PageInstall.Run(InstallVerb.Poison, client, region, page, end - page, default, worker),
                _ => default,
            };
            if (done.Action is InstallAction.Park or InstallAction.ClientGone)
            {
                return done.Action;
            }

            // After any other answer the page stays as it is; the rest is still to be done.
            page = done.Action == InstallAction.Done ? end : done.Page + 1;
        }

        return InstallAction.Done;
    }

    /// <summary>What a page needs before the context may close.</summary>
    private static RestKind KindOf(Region region, int page)
    {
        RegionPages pages = region.Pages;
        if (region.Kind == RegionKind.Copied)
        {
            // What was dropped reads as zero anyway when nobody serves it.
            return pages.Installed[page] || pages.Removed[page] ? RestKind.Nothing : RestKind.Poison;
        }

        if (pages.Removed[page] && region.Kind == RegionKind.PrivateImage)
        {
            return pages.Installed[page] ? RestKind.Nothing : RestKind.Zero;
        }

        return pages.Table.States[pages.TablePage(page)] is PageState.Cached or PageState.Zero ? RestKind.Nothing : RestKind.Poison;
    }

    private enum RestKind
    {
        Nothing = 0,
        Zero,
        Poison,
    }
}
