namespace Faultline.Bench;

/// <summary>The calls whose time must grow as the resident pages do.</summary>
/// <param name="Munmap">munmap of anonymous memory.</param>
/// <param name="Fork">fork with anonymous memory.</param>
/// <param name="Truncate">ftruncate of a file that is mapped.</param>
public sealed record LinearCalls(LinearCall Munmap, LinearCall Fork, LinearCall Truncate)
{
    /// <summary>Whether all of them are linear.</summary>
    public bool Met => Munmap.Met && Fork.Met && Truncate.Met;
}
