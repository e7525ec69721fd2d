namespace Faultline.Paging;

/// <summary>What is to be done for a fault. Valid while the client's lock is held; the load is the caller's to make.</summary>
internal readonly record struct PagePlan(PlanKind Kind)
{
    /// <summary>The region the fault is in.</summary>
    public Region? Region { get; init; }

    /// <summary>The first page to install or to load, of the region's pages; a load may begin before the region does.</summary>
    public int Page { get; init; }

    /// <summary>How many pages to install or to load.</summary>
    public int Count { get; init; }

    /// <summary>Whether a guess had brought the page, or is bringing it.</summary>
    public bool IsGuessed { get; init; }

    /// <summary>The load to make.</summary>
    public PageLoad? Load { get; init; }
}
