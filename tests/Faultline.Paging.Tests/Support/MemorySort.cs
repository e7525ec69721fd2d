namespace Faultline.Paging.Tests;

/// <summary>What memory can be write-protected.</summary>
public enum MemorySort
{
    /// <summary>Private anonymous.</summary>
    Anonymous,

    /// <summary>A memfd, shared.</summary>
    ShmemShared,

    /// <summary>A memfd, private: what a clone has.</summary>
    ShmemPrivate,

    /// <summary>A memfd of huge pages, shared.</summary>
    HugetlbShared,

    /// <summary>A memfd of huge pages, private.</summary>
    HugetlbPrivate,
}
