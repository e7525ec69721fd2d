using System;

namespace Faultline;

/// <summary>Feature bits. A <em>gate</em> changes behaviour when asked for; the others only tell what the kernel can do.</summary>
/// <remarks>Source: ioctl_userfaultfd(2). Bits without a name may be set in what a kernel offers; they are kept.</remarks>
[Flags]
public enum UserfaultfdFeatures : ulong
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Write-protect faults are reported.</summary>
    PageFaultFlagWriteProtect = 1 << 0,

    /// <summary>Gate: fork is reported. Needs CAP_SYS_PTRACE.</summary>
    EventFork = 1 << 1,

    /// <summary>Gate: mremap is reported, and registrations follow it.</summary>
    EventRemap = 1 << 2,

    /// <summary>Gate: madvise DONTNEED, FREE and REMOVE are reported.</summary>
    EventRemove = 1 << 3,

    /// <summary>Missing faults on hugetlb.</summary>
    MissingHugetlbfs = 1 << 4,

    /// <summary>Missing faults on shmem.</summary>
    MissingShmem = 1 << 5,

    /// <summary>Gate: munmap is reported.</summary>
    EventUnmap = 1 << 6,

    /// <summary>Gate: faults end in SIGBUS instead of a message.</summary>
    SigBus = 1 << 7,

    /// <summary>Gate: messages carry the faulting thread.</summary>
    ThreadId = 1 << 8,

    /// <summary>Minor faults on hugetlb.</summary>
    MinorHugetlbfs = 1 << 9,

    /// <summary>Minor faults on shmem.</summary>
    MinorShmem = 1 << 10,

    /// <summary>Gate: message addresses keep their low bits.</summary>
    ExactAddress = 1 << 11,

    /// <summary>Write-protection of hugetlb and shmem.</summary>
    WriteProtectHugetlbfsShmem = 1 << 12,

    /// <summary>Gate: write-protecting anonymous memory also marks absent pages.</summary>
    WriteProtectUnpopulated = 1 << 13,

    /// <summary>UFFDIO_POISON.</summary>
    Poison = 1 << 14,

    /// <summary>Gate: the kernel resolves write-protect faults itself; see PAGEMAP_SCAN. Implies <see cref="WriteProtectUnpopulated"/>.</summary>
    WriteProtectAsync = 1 << 15,

    /// <summary>UFFDIO_MOVE.</summary>
    Move = 1 << 16,
}
