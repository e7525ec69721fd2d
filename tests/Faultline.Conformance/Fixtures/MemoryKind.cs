namespace Faultline.Conformance;

/// <summary>The kinds of memory a userfaultfd serves.</summary>
public enum MemoryKind
{
    /// <summary>Private anonymous memory.</summary>
    Anonymous,

    /// <summary>A shared mapping of a shmem file.</summary>
    ShmemShared,

    /// <summary>A private mapping of a shmem file.</summary>
    ShmemPrivate,

    /// <summary>A shared mapping of a hugetlb file.</summary>
    HugetlbShared,

    /// <summary>A private mapping of a hugetlb file.</summary>
    HugetlbPrivate,
}
