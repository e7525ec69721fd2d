namespace Faultline.Mm;

/// <summary>How a <see cref="ManagedEngine"/> is made.</summary>
public sealed record ManagedEngineOptions
{
    /// <summary>Physical memory, in bytes. Untouched memory costs nothing but a record of 64 bytes a page, itself untouched.</summary>
    public ulong MemoryBytes { get; init; } = 4UL << 30;

    /// <summary>The most memory that may be charged, in bytes; zero for all there is.</summary>
    public ulong MemoryLimitBytes { get; init; }

    /// <summary>
    /// Pages of 2 MiB set aside for hugetlb (Linux: <c>nr_hugepages</c>). They are taken out of <see cref="MemoryBytes"/>, and cost nothing until
    /// they are touched.
    /// </summary>
    public int HugePages { get; init; }

    /// <summary>
    /// Whether a thread of its own swaps pages out when few are left under <see cref="MemoryLimitBytes"/>, before an allocation has to (Linux: <c>kswapd</c>).
    /// Without a limit or without <see cref="Swap"/> it has nothing to do.
    /// </summary>
    public bool ReclaimsInBackground { get; init; }

    /// <summary>Where pages are swapped to; null for no swap. The engine disposes it.</summary>
    public ISwapDevice? Swap { get; init; }

    /// <summary>The most mappings of one address space (Linux: <c>vm.max_map_count</c>).</summary>
    public int MappingLimit { get; init; } = 65530;

    /// <summary>Which private anonymous memory gets huge pages when it is first written to.</summary>
    public TransparentHugePages TransparentHugePages { get; init; } = TransparentHugePages.Madvise;

    /// <summary>
    /// Whether <see cref="ManagedEngine.FindViolations"/> also tells of writes outside of the frames' bytes, and of frames written to while they were free. Costs
    /// a fill and a look at each allocation: for tests.
    /// </summary>
    public bool GuardsMemory { get; init; }

    /// <summary>What khugepaged does, and when; by default only when it is asked to.</summary>
    public KhugepagedOptions Khugepaged { get; init; } = new();

    /// <summary>Which rule fills install entries by.</summary>
    public InstallRuleVersion InstallRule { get; init; } = InstallRuleVersion.Linux618;
}
