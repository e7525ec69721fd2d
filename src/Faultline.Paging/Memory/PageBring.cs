using System;
using System.Collections.Generic;
using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>Brings and installs ranges without a fault: for leases, for read-ahead, and for clients that are to need the pager no more.</summary>
internal static class PageBring
{
    /// <summary>Brings a range of an image into the cache, on the calling thread as far as the store answers at once.</summary>
    /// <exception cref="PageLoadException">A page could not be brought.</exception>
    public static void IntoCache(PagerCore core, LoadTable table, int first, int count, PinState pins = PinState.Unpinned)
    {
        FaultWorker worker = core.Workers.Rent();
        long begun = core.Now();
        Exception? cause = TryIntoCache(core, table, first, count, worker);
        if (cause is not null and not NoRoomException && table.HasTimeFor(begun))
        {
            // A read of many pages, perhaps more than are wanted here, may have failed for one of them: those that failed are read one by one now.
            cause = TryIntoCache(core, table, first, count, worker);
        }

        while (cause is NoRoomException && core.Elapsed(begun, core.Now()) < core.Options.LoadDeadline)
        {
            if (pins == PinState.Pinned)
            {
                table.Unpin(first, count);
                worker.Pause();
                table.Pin(first, count);
            }
            else
            {
                worker.Pause();
            }

            cause = TryIntoCache(core, table, first, count, worker);
        }

        core.Workers.Return(worker);
        if (cause is not null)
        {
            string reason = cause switch
            {
                NoRoomException => "there is no room for it",
                ObjectDisposedException when table.ClosedBy is not null => "the pager no longer serves it",
                _ => "the store failed",
            };
            throw new PageLoadException(table.Image.Name, table.OffsetOf(first), (ulong)count * (ulong)table.PageBytes, reason, cause);
        }
    }

    private static Exception? TryIntoCache(PagerCore core, LoadTable table, int first, int count, FaultWorker worker)
    {
        int page = first;
        bool isClosed = false;
        while (page < first + count && !isClosed)
        {
            switch (table.ClaimNext(ref page, first + count, worker.Wait, out PageLoad? load))
            {
                case ClaimKind.Claimed:
                    core.Loop.Bring(load!, worker);
                    core.Loop.Work(worker);
                    break;
                case ClaimKind.Joined when load!.IsGuess:
                    core.Prefetcher.EndWanted(worker);
                    core.Loop.Work(worker);
                    break;
                case ClaimKind.Evicting:
                    Seam.Yield();
                    Thread.Yield();
                    break;
                case ClaimKind.Closed:
                    isClosed = true;
                    break;
            }
        }

        // Even after the table is closed: the loads begun before end in this worker's wait.
        return worker.Wait.Wait() ?? (isClosed ? table.ClosedBy : null);
    }

    /// <summary>Installs what is cached or zero of a range of a region. The rest, and what the engine will not take now, is left to faults.</summary>
    public static void Install(PagerCore core, PagerClient client, AddressRange range)
    {
        FaultWorker worker = core.Workers.Rent();
        InstallEnd end = default;
        using (RankedSharedLock.ReadScope held = client.Guard.EnterRead())
        {
            if (!client.HasEnded && RegionMap.Find(client.RegionArray, range.Start) is { } region)
            {
                end = InstallRuns(core, client, region.Cut(range), InstallVerb.Continue, worker);
                FaultWake.Pay(worker, client);
            }
        }

        core.Workers.Return(worker);
        if (end.Action == InstallAction.ClientGone)
        {
            core.EndClient(client, ClientEnd.Exited);
        }
    }

    /// <summary>Lets pages of a shared image be written that are pinned and installed; they are noted before.</summary>
    public static void AdmitWrites(PagerClient client, AddressRange range, int first, int count)
    {
        using RankedSharedLock.ReadScope held = client.Guard.EnterRead();
        if (!client.HasEnded && RegionMap.Find(client.RegionArray, range.Start) is { Pages.WritesBack: true } region)
        {
            // Whatever it answers, the access that follows decides: where this was in vain, it takes a fault.
            region.Pages.Table.Writes!.AdmitPinned(first, count);
            client.Context.WriteProtect(range, WriteProtectModes.None);
        }
    }

    /// <summary>Installs what is cached or zero of some runs of the image's pages, and wakes their waiters once, at the end.</summary>
    /// <returns>How many pages were installed.</returns>
    public static int InstallQuietly(PagerCore core, PagerClient client, Region whole, List<(int First, int Count)> runs)
    {
        FaultWorker worker = core.Workers.Rent();
        InstallEnd end = default;
        int installed = 0;
        using (RankedSharedLock.ReadScope held = client.Guard.EnterRead())
        {
            foreach ((int first, int count) in runs)
            {
                int low = Math.Max(first - whole.Pages.TableBase, whole.FirstPage);
                int high = Math.Min(first + count - whole.Pages.TableBase, whole.EndPage);
                if (low >= high || client.HasEnded || end.Action == InstallAction.ClientGone)
                {
                    continue;
                }

                // The region may have been moved or cut since.
                AddressRange range = whole.AddressesOf(low, high - low);
                if (RegionMap.Find(client.RegionArray, range.Start) is { } region && ReferenceEquals(region.Pages, whole.Pages))
                {
                    Region part = region.Cut(range);
                    int before = part.Pages.Installed.CountOf(part.FirstPage, part.PageCount);
                    end = InstallRuns(core, client, part, InstallVerb.ContinueQuietly, worker);
                    installed += part.Pages.Installed.CountOf(part.FirstPage, part.PageCount) - before;
                    FaultWake.Owe(worker, range);
                }
            }

            FaultWake.Pay(worker, client);
        }

        core.Workers.Return(worker);
        if (end.Action == InstallAction.ClientGone)
        {
            core.EndClient(client, ClientEnd.Exited);
        }

        return installed;
    }

    /// <summary>Brings and installs everything a client has not got. What cannot be brought is left out.</summary>
    public static void InstallAll(PagerCore core, PagerClient client)
    {
        foreach (Region region in client.RegionArray)
        {
            LoadTable table = region.Pages.Table;
            int step = table.WindowPages;
            for (int page = region.FirstPage; page < region.EndPage && !client.HasEnded; page += step)
            {
                int count = Math.Min(step, region.EndPage - page);
                try
                {
                    if (table.FillsCache)
                    {
                        IntoCache(core, table, region.Pages.TablePage(page), count);
                        Install(core, client, region.AddressesOf(page, count));
                    }
                    else
                    {
                        CopyMissing(core, region, page, count);
                    }
                }
                catch (PageLoadException)
                {
                    // These pages become errors in the client, which is the definite answer; the others go on.
                }
            }
        }
    }

    private static void CopyMissing(PagerCore core, Region region, int page, int count)
    {
        int end = page + count;
        while (page < end)
        {
            if (region.Pages.Installed[page] || region.Pages.Removed[page])
            {
                page++;
                continue;
            }

            int run = 1;
            while (page + run < end && !region.Pages.Installed[page + run] && !region.Pages.Removed[page + run])
            {
                run++;
            }

            IntoCache(core, region.Pages.Table, region.Pages.TablePage(page), run);
            page += run;
        }
    }

    private static InstallEnd InstallRuns(PagerCore core, PagerClient client, Region part, InstallVerb verb, FaultWorker worker)
    {
        RegionPages pages = part.Pages;
        int page = part.FirstPage;
        InstallEnd end = default;
        while (page < part.EndPage && end.Action != InstallAction.ClientGone)
        {
            PageState state = pages.Table.States[pages.TablePage(page)];
            bool isWanted = IsWanted(pages, page, state);
            int run = 1;
            while (page + run < part.EndPage && pages.Table.States[pages.TablePage(page + run)] == state && IsWanted(pages, page + run, state) == isWanted)
            {
                run++;
            }

            if (isWanted)
            {
                end = state == PageState.Cached
                    ? PageInstall.Run(verb, client, part, page, run, default, worker)
                    : PageFill.InstallZero(core, client, part, page, run, worker);
            }

            page += run;
        }

        return end;
    }

    private static bool IsWanted(RegionPages pages, int page, PageState state) =>
        state is PageState.Cached or PageState.Zero && !pages.Removed[page] && (!pages.Installed[page] || pages.Poisoned[page]);
}
