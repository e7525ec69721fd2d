using System;

namespace Faultline.Paging;

/// <summary>Stop 7: decides which pages to bring, the one wanted and those guessed. The client's lock is held, for reading at least.</summary>
internal static class FaultPlan
{
    public static PagePlan Make(PagerCore core, in PageFault fault)
    {
        Region? region = RegionMap.Find(fault.Client.RegionArray, fault.Address);
        if (region is null)
        {
            return new PagePlan(PlanKind.Unknown);
        }

        int page = region.PageOf(fault.Address);
        if (fault.Kind == PageFaultKind.WriteProtect && region.Pages.WritesBack)
        {
            return PlanWrite(in fault, region, page, PlanKind.Unprotect);
        }

        if (fault.Kind == PageFaultKind.WriteProtect)
        {
            return new PagePlan(PlanKind.Unprotect) { Region = region, Page = page, Count = 1 };
        }

        if (region.Pages.Removed[page] && !region.Pages.WritesBack && ReadsAsZero(region, page, fault.Kind))
        {
            return new PagePlan(PlanKind.Zero) { Region = region, Page = page, Count = 1 };
        }

        return region.Kind == RegionKind.Copied ? PlanCopy(in fault, region, page) : PlanImage(core, in fault, region, page);
    }

    /// <summary>
    /// Whether a page that the client dropped reads as zero. In a shared mapping DONTNEED drops the entry only, and the page is found in
    /// the cache (a minor fault); after MADV_REMOVE
    /// it is not. The event is the same for both.
    /// </summary>
    private static bool ReadsAsZero(Region region, int page, PageFaultKind kind)
    {
        if (region.Kind != RegionKind.SharedImage || kind == PageFaultKind.Missing)
        {
            return true;
        }

        region.Pages.Removed.Clear(page, 1);
        return false;
    }

    private static PagePlan PlanImage(PagerCore core, in PageFault fault, Region region, int page)
    {
        if (fault.Goal == FaultGoal.Poison)
        {
            return new PagePlan(PlanKind.Poison) { Region = region, Page = page, Count = 1 };
        }

        LoadTable table = region.Pages.Table;
        int tablePage = region.Pages.TablePage(page);
        switch (table.States[tablePage])
        {
            case PageState.Cached when region.Pages.WritesBack && fault.IsWrite:
                return PlanWrite(in fault, region, page, PlanKind.ContinueWritable);

            case PageState.Cached:
                bool isGuessed = table.Guesses.IsUnused(tablePage);
                return Window(region, page, core.Options.NeighbourPages, PageState.Cached, PlanKind.Continue) with { IsGuessed = isGuessed };

            case PageState.Zero when region.Pages.WritesBack:
                // It must be a page of its own that can be protected, and stored.
                table.ForgetZero(tablePage);
                break;

            case PageState.Zero when region.Kind == RegionKind.SharedImage && fault.Kind == PageFaultKind.Minor:
                // Another shared mapping touched the hole first, and it has a page now.
                table.Materialise(tablePage);
                return new PagePlan(PlanKind.Again);

            case PageState.Zero when region.Kind == RegionKind.SharedImage:
                // A hole costs nothing until it is touched; its neighbours have not been.
                return new PagePlan(PlanKind.Zero) { Region = region, Page = page, Count = 1 };

            case PageState.Zero:
                return Window(region, page, core.Options.NeighbourPages, PageState.Zero, PlanKind.Zero);
        }

        (int first, int end) = LoadWindow(region, tablePage, table.ChunkPages, table.WindowPages);
        return Claim(in fault, region, page, first, end);
    }

    /// <summary>A write to an image that is stored: noted first, then let through for the chunk, as far as the region has it.</summary>
    private static PagePlan PlanWrite(in PageFault fault, Region region, int page, PlanKind kind)
    {
        LoadTable table = region.Pages.Table;
        int tablePage = region.Pages.TablePage(page);
        switch (table.Writes!.Admit(tablePage, in fault))
        {
            case AdmitKind.Waits:
                return new PagePlan(PlanKind.Joined);
            case AdmitKind.Absent when kind == PlanKind.Unprotect:
                // Evicted since: woken, the thread finds it missing.
                return new PagePlan(kind) { Region = region, Page = page, Count = 1 };
            case AdmitKind.Absent:
                return new PagePlan(PlanKind.Again);
        }

        int low = tablePage / table.ChunkPages * table.ChunkPages;
        int first = Math.Max(region.FirstPage, page - (tablePage - low));
        int end = Math.Min(region.EndPage, page - (tablePage - low) + table.ChunkPages);
        return kind == PlanKind.Unprotect
            ? new PagePlan(kind) { Region = region, Page = first, Count = end - first }
            : Around(region, page, first, end, PageState.Cached, kind);
    }

    private static PagePlan PlanCopy(in PageFault fault, Region region, int page)
    {
        if (fault.Goal == FaultGoal.Poison)
        {
            return new PagePlan(PlanKind.Poison) { Region = region, Page = page, Count = 1 };
        }

        // What is read is copied, so no more is read than one fault may install; in sequence that grows, as it does for images.
        LoadTable table = region.Pages.Table;
        int pages = Math.Max(1, Math.Min(table.ChunkPages, table.Core.Options.NeighbourPages * (int)PageSize.Small / table.PageBytes));
        int tablePage = region.Pages.TablePage(page);
        int low = tablePage / pages * pages;
        if (pages > 1 && tablePage == region.Pages.LoadEnd)
        {
            low = tablePage;
            pages = InSequence(region.Pages.LoadPages, pages, table.WindowPages);
        }

        int first = Math.Max(low, region.Pages.TablePage(region.FirstPage));
        int end = Math.Min(low + pages, region.Pages.TablePage(region.EndPage));
        while (first < tablePage && region.Pages.Installed.Any(page - (tablePage - first), tablePage - first))
        {
            first++;
        }

        int installed = tablePage + 1;
        while (installed < end && !region.Pages.Installed[page + (installed - tablePage)])
        {
            installed++;
        }

        return Claim(in fault, region, page, first, installed);
    }

    private static PagePlan Claim(in PageFault fault, Region region, int page, int first, int end)
    {
        LoadTable table = region.Pages.Table;
        int tablePage = region.Pages.TablePage(page);
        switch (table.Claim(tablePage, first, end, in fault, out PageLoad? load))
        {
            case ClaimKind.Claimed:
                region.Pages.LoadEnd = load!.End;
                region.Pages.LoadPages = load.Count;
                return new PagePlan(PlanKind.Load) { Region = region, Page = load.First - region.Pages.TableBase, Count = load.Count, Load = load };
            case ClaimKind.Joined:
                return new PagePlan(PlanKind.Joined) { Region = region, Page = page, Count = 1, IsGuessed = load is { IsGuess: true } };
            case ClaimKind.Ready:
                return new PagePlan(PlanKind.Again);
            case ClaimKind.Evicting:
                return new PagePlan(PlanKind.Park);
            default:
                return new PagePlan(PlanKind.Poison) { Region = region, Page = page, Count = 1 };
        }
    }

    /// <summary>
    /// What a load for a page may bring: the chunk around it; or, if the fault is where the last load of this region ended, twice what that
    /// one brought.
    /// </summary>
    private static (int First, int End) LoadWindow(Region region, int tablePage, int chunk, int longest)
    {
        int first = tablePage / chunk * chunk;
        int pages = chunk;
        if (tablePage == region.Pages.LoadEnd)
        {
            pages = InSequence(region.Pages.LoadPages, chunk, longest);
        }

        return (first, Math.Min(first + pages, region.Pages.Table.Count));
    }

    /// <summary>How many pages follow a run of faults in order: twice as many as the time before, in whole steps.</summary>
    private static int InSequence(int before, int step, int longest) => Math.Clamp(before * 2 / step * step, step, Math.Max(step, longest));

    /// <summary>
    /// The longest run of pages around one that are in the same state and not installed yet, within a window aligned as the kernel's
    /// fault-around is; or, if the fault is where
    /// the last run of this region ended, the pages that follow, twice as many as that one had. Read without the image's lock: if a
    /// neighbour changes meanwhile, the engine says so.
    /// </summary>
    private static PagePlan Window(Region region, int page, int windowPages, PageState state, PlanKind kind)
    {
        if (windowPages > 1)
        {
            RegionPages pages = region.Pages;
            int low = page - (pages.TablePage(page) & (windowPages - 1));
            int high = low + windowPages;
            if (page == pages.InstallEnd)
            {
                low = page;
                high = page + InSequence(pages.InstallPages, windowPages, pages.Table.WindowPages);
            }

            PagePlan plan = Around(region, page, Math.Max(region.FirstPage, low), Math.Min(region.EndPage, high), state, kind);
            pages.InstallEnd = plan.Page + plan.Count;
            pages.InstallPages = plan.Count;
            return plan;
        }

        return new PagePlan(kind) { Region = region, Page = page, Count = 1 };
    }

    /// <summary>The run of pages around one, within bounds, that are in the same state and not installed yet.</summary>
    private static PagePlan Around(Region region, int page, int low, int high, PageState state, PlanKind kind)
    {
        int first = page;
        int end = page + 1;
        while (first > low && IsNeighbour(region, first - 1, state))
        {
            first--;
        }

        while (end < high && IsNeighbour(region, end, state))
        {
            end++;
        }

        return new PagePlan(kind) { Region = region, Page = first, Count = end - first };
    }

    private static bool IsNeighbour(Region region, int page, PageState state)
    {
        RegionPages pages = region.Pages;
        return pages.Table.States[pages.TablePage(page)] == state && !pages.Installed[page] && !pages.Removed[page] && !pages.Poisoned[page];
    }
}
