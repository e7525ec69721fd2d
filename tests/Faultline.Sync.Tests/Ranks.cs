using System;

namespace Faultline.Sync.Tests;

/// <summary>Two ranks in their order, whatever the enum holds.</summary>
internal static class Ranks
{
    public static LockRank Outer { get; } = Enum.GetValues<LockRank>()[0];

    public static LockRank Inner { get; } = Enum.GetValues<LockRank>()[1];
}
