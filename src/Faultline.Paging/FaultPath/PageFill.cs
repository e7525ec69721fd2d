using System;
using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>
/// Stop 8, second half: puts what the store gave where it belongs. For an image that is its page cache, by writing to the memory file,
/// which is our way to it that no client's
/// registration covers; zero pages are left holes. For memory of the client's own it is a copy.
/// </summary>
internal static class PageFill
{
    /// <summary>Ends a load whose read has ended, and hands its waiters to <paramref name="worker"/>. Gives the load back.</summary>
    public static void End(PagerCore core, PageLoad load, FaultWorker worker)
    {
        LoadTable table = load.Table;
        LoadEnding.TellRead(core, load);
        if (table.BeginFill(load))
        {
            PageBits zero = worker.ClearZero(load.Count);
            Exception? cause = load.Check();
            if (cause is null)
            {
                if (table.Writes is null)
                {
                    FindZeroPages(load, zero);
                }

                if (table.FillsCache)
                {
                    cause = FillCache(load, zero, worker);
                }
                else if (Copy(core, load, zero, worker) is { Action: not InstallAction.Done } stop)
                {
                    GoalOf(stop, load, out FaultGoal goal, out cause);
                    if (cause is null)
                    {
                        table.GiveBack(load, worker, goal, cause: null);
                        LoadEnding.TellGivenBack(load);
                        core.Loads.Return(load);
                        return;
                    }
                }
            }

            // First, so that whoever waits for the load finds its activity ended.
            LoadEnding.Tell(core, load, cause);
            table.End(load, worker, zero, cause);
        }
        else
        {
            LoadEnding.TellLate(load);
        }

        core.Loads.Return(load);
    }

    private static InstallEnd Copy(PagerCore core, PageLoad load, PageBits zero, FaultWorker worker)
    {
        long begun = FaultTimes.Begin(core);
        InstallEnd end = CopyToClient(core, load, load.Table.Client!, zero, worker);
        FaultTimes.Installed(core, FaultTimes.Copy, begun, begun == 0 ? 0 : core.Now());
        return end;
    }

    private static void FindZeroPages(PageLoad load, PageBits zero)
    {
        ReadOnlySpan<byte> contents = load.Contents;
        int pageBytes = load.Table.PageBytes;
        for (int page = 0; page < load.Count; page++)
        {
            if (!contents.Slice(page * pageBytes, pageBytes).ContainsAnyExcept((byte)0))
            {
                zero.Set(page, 1);
            }
        }
    }

    private static Exception? FillCache(PageLoad load, PageBits zero, FaultWorker worker)
    {
        LoadTable table = load.Table;
        if (!table.TryEnterUse())
        {
            return table.ClosedBy;
        }

        try
        {
            return WriteAll(load, zero, worker);
        }
        finally
        {
            table.ExitUse();
        }
    }

    private static MemoryEngineException? WriteAll(PageLoad load, PageBits zero, FaultWorker worker)
    {
        int page = 0;
        while (NextRun(zero, ref page, load.Count, out int count, out bool isZero))
        {
            if (!isZero && Write(load, page, count, worker) is { } cause)
            {
                // What was written takes memory that nobody will find: give it back.
                load.Table.Image.File.PunchHole(load.Table.OffsetOf(load.First), (ulong)load.Contents.Length);
                return cause;
            }

            page += count;
        }

        return null;
    }

    private static MemoryEngineException? Write(PageLoad load, int page, int count, FaultWorker worker)
    {
        LoadTable table = load.Table;
        ulong offset = table.OffsetOf(load.First + page);
        ReadOnlySpan<byte> rest = load.Contents.Slice(page * table.PageBytes, count * table.PageBytes);
        while (!rest.IsEmpty)
        {
            SystemResult<int> written = table.Image.File.Write(offset, rest);
            if (written.IsOk && written.Value > 0)
            {
                offset += (ulong)written.Value;
                rest = rest[written.Value..];
            }
            else if (written.Errno != Errno.EINTR && !Evict.TryOne(table, worker))
            {
                return new MemoryEngineException(
                    "pwrite",
                    new AddressRange(new VirtualAddress(offset), (ulong)rest.Length),
                    written.Errno,
                    $"The page cache of '{table.Image.Name}' could not take the page.");
            }
        }

        return null;
    }

    /// <summary>What becomes of the faults whose copy was stopped: they wait for the address space, or for memory, or are errors.</summary>
    private static void GoalOf(InstallEnd stop, PageLoad load, out FaultGoal goal, out Exception? cause)
    {
        goal = stop.Action switch
        {
            InstallAction.Park or InstallAction.ClientGone => FaultGoal.Settle,
            InstallAction.MakeRoom => FaultGoal.Room,
            _ => FaultGoal.Poison,
        };
        cause = goal == FaultGoal.Poison
            ? new PageLoadException(
                load.Table.Image.Name,
                load.Table.OffsetOf(load.First),
                (ulong)load.Contents.Length,
                $"the copy into the client answered {stop.Errno}")
            : null;
    }

    private static InstallEnd CopyToClient(PagerCore core, PageLoad load, PagerClient client, PageBits zero, FaultWorker worker)
    {
        long batch = core.LastBatch;
        InstallEnd end = default;
        using (RankedSharedLock.ReadScope held = client.Guard.EnterRead())
        {
            if (client.HasEnded)
            {
                return default;
            }

            foreach (Region region in client.RegionArray)
            {
                if (ReferenceEquals(region.Pages.Table, load.Table) && end.Action == InstallAction.Done)
                {
                    end = CopyToRegion(core, load, client, region, zero, worker);
                    if (end.Action == InstallAction.Done)
                    {
                        NoteCopied(load, client, region, batch, worker);
                    }
                }
            }

            FaultWake.Pay(worker, client);
        }

        if (end.Action == InstallAction.ClientGone)
        {
            core.EndClient(client, ClientEnd.Exited);
        }

        return end;
    }

    private static void NoteCopied(PageLoad load, PagerClient client, Region region, long batch, FaultWorker worker)
    {
        int first = Math.Max(load.First - region.Pages.TableBase, region.FirstPage);
        int end = Math.Min(load.End - region.Pages.TableBase, region.EndPage);
        if (first < end)
        {
            worker.NoteWoken(client, region.AddressesOf(first, end - first), batch);
        }
    }

    private static InstallEnd CopyToRegion(PagerCore core, PageLoad load, PagerClient client, Region region, PageBits zero, FaultWorker worker)
    {
        RegionPages pages = region.Pages;
        int first = Math.Max(load.First - pages.TableBase, region.FirstPage);
        int end = Math.Min(load.End - pages.TableBase, region.EndPage);
        int page = first;
        while (page < end)
        {
            int inLoad = pages.TablePage(page) - load.First;
            bool isZero = zero[inLoad] || pages.Removed[page];
            int run = 1;
            while (page + run < end && (zero[inLoad + run] || pages.Removed[page + run]) == isZero)
            {
                run++;
            }

            InstallEnd done = isZero
                ? InstallZero(core, client, region, page, run, worker)
                : PageInstall.Run(InstallVerb.Copy, client, region, page, run, load.Contents.Slice(inLoad * pages.PageBytes, run * pages.PageBytes), worker);
            if (done.Action != InstallAction.Done)
            {
                return done;
            }

            page += run;
        }

        return default;
    }

    /// <summary>Installs zeroes by the cheapest way there is for the memory. The client's lock is held.</summary>
    public static InstallEnd InstallZero(PagerCore core, PagerClient client, Region region, int page, int count, FaultWorker worker)
    {
        if (region.Pages.PageBytes == (int)PageSize.Small && !region.Pages.Poisoned.Any(page, count) && !region.Pages.HasMarkers)
        {
            InstallVerb verb = region.Kind == RegionKind.SharedImage ? InstallVerb.ZeropageShared : InstallVerb.ZeropagePrivate;
            return PageInstall.Run(verb, client, region, page, count, default, worker);
        }

        // No ZEROPAGE for huge pages, it does not replace a marker, and does not install protected; COPY does all three.
        InstallVerb copy = region.Kind == RegionKind.SharedImage ? InstallVerb.CopyShared : InstallVerb.Copy;
        for (int done = 0; done < count; done++)
        {
            InstallEnd end = PageInstall.Run(copy, client, region, page + done, 1, core.Zeroes(region.Pages.PageBytes), worker);
            if (end.Action != InstallAction.Done)
            {
                return end;
            }
        }

        return new InstallEnd(InstallAction.Done, page + count, Errno.None);
    }

    private static bool NextRun(PageBits zero, ref int page, int end, out int count, out bool isZero)
    {
        count = 0;
        isZero = page < end && zero[page];
        while (page + count < end && zero[page + count] == isZero)
        {
            count++;
        }

        return count != 0;
    }
}
