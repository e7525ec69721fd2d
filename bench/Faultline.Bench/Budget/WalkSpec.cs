namespace Faultline.Bench;

/// <summary>One walk over the file.</summary>
/// <param name="Pattern">The order.</param>
/// <param name="IsWrite">Whether each access also writes.</param>
/// <param name="Threads">How many threads share the accesses.</param>
/// <param name="Accesses">How many accesses there are, about: see <see cref="Done"/>.</param>
internal readonly record struct WalkSpec(WalkPattern Pattern, bool IsWrite, int Threads, long Accesses)
{
    /// <summary>The same for every way, so that all touch the same pages.</summary>
    public const ulong Seed = 11;

    /// <summary>The accesses that are made: as many for each thread.</summary>
    public long Done => Accesses / Threads * Threads;

    public string PatternName => Pattern switch
    {
        WalkPattern.Sequential => "sequential",
        WalkPattern.Random => "random",
        _ => "zipf",
    };
}
