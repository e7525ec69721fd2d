namespace Faultline;

/// <summary>The page sizes of x86-64 and arm64 with 4 KiB granules, in bytes.</summary>
public static class PageSize
{
    /// <summary>A base page: 4 KiB.</summary>
    public const ulong Small = 4096;

    /// <summary>A PMD-level huge page: 2 MiB.</summary>
    public const ulong Huge = 2UL << 20;

    /// <summary>log2 of <see cref="Small"/>.</summary>
    public const int SmallShift = 12;

    /// <summary>log2 of <see cref="Huge"/>.</summary>
    public const int HugeShift = 21;
}
