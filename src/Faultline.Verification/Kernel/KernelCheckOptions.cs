using System;

namespace Faultline.Verification.Kernel;

/// <summary>How <see cref="KernelCheck"/> runs.</summary>
public sealed record KernelCheckOptions
{
    /// <summary>Stop after so many steps; zero for no such end.</summary>
    public long Operations { get; init; }

    /// <summary>Stop after this time; zero for no such end.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>What the random programs are made from.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Threads that run programs, each on engines of its own.</summary>
    public int Workers { get; init; } = 2;

    /// <summary>Stop when so many differences were found that are not alike.</summary>
    public int MaximumDifferences { get; init; } = 10;

    /// <summary>Whether programs page out. The machine must have swap.</summary>
    public bool WithSwap { get; init; }

    /// <summary>Whether programs map hugetlb memory. The kernel's pool must have pages: see <see cref="BorrowedMachine"/>.</summary>
    public bool WithHugePages { get; init; }

    /// <summary>Whether programs fork.</summary>
    public bool WithFork { get; init; } = true;

    /// <summary>What all programs are about; null to choose for each. For tests, which are too short to rely on the choice.</summary>
    internal ProgramProfile? OnlyAbout { get; init; }

    /// <summary>Told about twice a second how far it is; on any thread.</summary>
    public Action<KernelCheckProgress>? Progress { get; init; }

    /// <summary>Told of each difference as it is found, cut down; on any thread.</summary>
    public Action<KernelDifference>? Found { get; init; }
}
