namespace Faultline.Cli.Restore;

/// <summary>
/// What became of the pages of one clone, summed up in cells of neighbouring pages. A page is counted once in <see cref="Touched"/>, <see cref="Written"/>
/// or <see cref="Brought"/>, or it is untouched.
/// </summary>
internal sealed record PageMap
{
    /// <summary>The most cells of a map.</summary>
    public const int MaxCells = 4096;

    public required int PagesPerCell { get; init; }

    public required int Pages { get; init; }

    /// <summary>Pages read by the clone, in each cell.</summary>
    public required int[] Touched { get; init; }

    /// <summary>Pages written by the clone.</summary>
    public required int[] Written { get; init; }

    /// <summary>Pages resident without having been touched: installed as neighbours of others.</summary>
    public required int[] Brought { get; init; }
}
