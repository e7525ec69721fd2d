using Xunit;

namespace Faultline.Conformance;

/// <summary>Theory data: the kinds of memory a case runs on.</summary>
public static class MemoryKinds
{
    /// <summary>All five.</summary>
    public static TheoryData<MemoryKind> All =>
        [MemoryKind.Anonymous, MemoryKind.ShmemShared, MemoryKind.ShmemPrivate, MemoryKind.HugetlbShared, MemoryKind.HugetlbPrivate];

    /// <summary>Those made of 4 KiB pages.</summary>
    public static TheoryData<MemoryKind> Small => [MemoryKind.Anonymous, MemoryKind.ShmemShared, MemoryKind.ShmemPrivate];

    /// <summary>Those with a page cache behind them.</summary>
    public static TheoryData<MemoryKind> Cached =>
        [MemoryKind.ShmemShared, MemoryKind.ShmemPrivate, MemoryKind.HugetlbShared, MemoryKind.HugetlbPrivate];

    /// <summary>The two shmem kinds.</summary>
    public static TheoryData<MemoryKind> Shmem => [MemoryKind.ShmemShared, MemoryKind.ShmemPrivate];

    /// <summary>The two hugetlb kinds.</summary>
    public static TheoryData<MemoryKind> Hugetlb => [MemoryKind.HugetlbShared, MemoryKind.HugetlbPrivate];

    /// <summary>The kinds whose filled pages belong to the mapping alone.</summary>
    public static TheoryData<MemoryKind> Private =>
        [MemoryKind.Anonymous, MemoryKind.ShmemPrivate, MemoryKind.HugetlbPrivate];

    /// <summary>Whether the kind is made of 2 MiB pages.</summary>
    public static bool IsHugetlb(this MemoryKind kind) => kind is MemoryKind.HugetlbShared or MemoryKind.HugetlbPrivate;

    /// <summary>Whether stores are seen by other mappings.</summary>
    public static bool IsShared(this MemoryKind kind) => kind is MemoryKind.ShmemShared or MemoryKind.HugetlbShared;

    /// <summary>Whether a page cache is behind it.</summary>
    public static bool IsCached(this MemoryKind kind) => kind != MemoryKind.Anonymous;

    /// <summary>The size of its pages in bytes.</summary>
    public static ulong PageBytes(this MemoryKind kind) => kind.IsHugetlb() ? PageSize.Huge : PageSize.Small;
}
