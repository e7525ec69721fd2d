namespace Faultline;

/// <summary>How a memory file is made.</summary>
public readonly record struct MemoryFileOptions
{
    /// <summary>A name for listings; need not be unique.</summary>
    public string Name { get; init; }

    /// <summary>The size in bytes.</summary>
    public ulong Size { get; init; }

    /// <summary>Whether the file is made of 2 MiB hugetlb pages.</summary>
    public bool HugePages { get; init; }

    /// <summary>The most bytes its pages may take, or zero for no limit (Linux: a tmpfs with a size, not for huge pages).</summary>
    public ulong LimitBytes { get; init; }
}
