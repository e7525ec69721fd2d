namespace Faultline.Verification.Kernel;

/// <summary>The kinds of memory that programs map.</summary>
internal enum MapKind
{
    Anonymous = 0,
    SharedAnonymous,
    SharedFile,
    PrivateFile,

    /// <summary>Hugetlb without a file of the program's, shared with forks.</summary>
    HugetlbShared,
    HugetlbPrivate,
    HugetlbSharedFile,
    HugetlbPrivateFile,
}
