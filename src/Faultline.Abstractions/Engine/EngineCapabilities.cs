namespace Faultline;

/// <summary>What an engine can do on this machine, found by trying.</summary>
public sealed record EngineCapabilities
{
    /// <summary>Whether a userfaultfd can be opened at all.</summary>
    public required Capability Userfaultfd { get; init; }

    /// <summary>Whether a userfaultfd that also reports kernel-mode faults can be opened.</summary>
    public required Capability KernelFaults { get; init; }

    /// <summary>The features the engine offers; unknown future bits are kept.</summary>
    public required UserfaultfdFeatures Features { get; init; }

    /// <summary>Whether <see cref="IMemoryEngine.CreateAddressSpace"/> works.</summary>
    public required Capability ManyAddressSpaces { get; init; }

    /// <summary>Whether 2 MiB hugetlb pages are in the pool.</summary>
    public required Capability HugePages { get; init; }

    /// <summary>Whether pages can be swapped out.</summary>
    public required Capability Swap { get; init; }

    /// <summary>Whether PAGEMAP_SCAN works.</summary>
    public required Capability PagemapScan { get; init; }

    /// <summary>Whether files with a size limit (<see cref="MemoryFileOptions.LimitBytes"/>) can be made.</summary>
    public required Capability LimitedFiles { get; init; }
}
