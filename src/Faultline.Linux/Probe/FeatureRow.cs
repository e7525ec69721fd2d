namespace Faultline.Linux;

/// <summary>A feature bit, as the probe reports it.</summary>
/// <param name="Feature">The bit.</param>
/// <param name="KernelName">Its name in the kernel's header, without <c>UFFD_FEATURE_</c>.</param>
/// <param name="Since">The first kernel with it.</param>
/// <param name="IsRequired">Whether the main job needs it.</param>
/// <param name="Loss">What is lost without it.</param>
internal readonly record struct FeatureRow(UserfaultfdFeatures Feature, string KernelName, string Since, bool IsRequired, string Loss)
{
    /// <summary>Every bit that has a name, in order.</summary>
    internal static FeatureRow[] All { get; } =
    [
        new(UserfaultfdFeatures.PageFaultFlagWriteProtect, "PAGEFAULT_FLAG_WP", "5.7", false, "no write-protection of anonymous memory"),
        new(UserfaultfdFeatures.EventFork, "EVENT_FORK", "4.11", false, "clients that fork lose their pager"),
        new(UserfaultfdFeatures.EventRemap, "EVENT_REMAP", "4.11", false, "mappings that move lose their pager"),
        new(UserfaultfdFeatures.EventRemove, "EVENT_REMOVE", "4.11", false, "the pager does not learn which pages were dropped"),
        new(UserfaultfdFeatures.MissingHugetlbfs, "MISSING_HUGETLBFS", "4.11", false, "no paging of hugetlb memory"),
        new(UserfaultfdFeatures.MissingShmem, "MISSING_SHMEM", "4.11", true, "absent pages of an image cannot be paged in"),
        new(UserfaultfdFeatures.EventUnmap, "EVENT_UNMAP", "4.11", false, "the pager does not learn of unmapped ranges"),
        new(UserfaultfdFeatures.SigBus, "SIGBUS", "4.14", false, "faults cannot be turned into errors at once"),
        new(UserfaultfdFeatures.ThreadId, "THREAD_ID", "4.14", false, "faults do not tell their thread"),
        new(UserfaultfdFeatures.MinorHugetlbfs, "MINOR_HUGETLBFS", "5.13", false, "no minor faults on hugetlb memory"),
        new(UserfaultfdFeatures.MinorShmem, "MINOR_SHMEM", "5.14", true, "cached pages of an image cannot be shared on demand"),
        new(UserfaultfdFeatures.ExactAddress, "EXACT_ADDRESS", "5.18", false, "faults tell the page only"),
        new(UserfaultfdFeatures.WriteProtectHugetlbfsShmem, "WP_HUGETLBFS_SHMEM", "5.19", false, "no write-protection of shmem and hugetlb memory"),
        new(UserfaultfdFeatures.WriteProtectUnpopulated, "WP_UNPOPULATED", "6.4", false, "absent anonymous pages cannot be write-protected"),
        new(UserfaultfdFeatures.Poison, "POISON", "6.6", false, "a page whose store failed cannot be made an error"),
        new(UserfaultfdFeatures.WriteProtectAsync, "WP_ASYNC", "6.7", false, "no dirty tracking without a handler"),
        new(UserfaultfdFeatures.Move, "MOVE", "6.8", false, "pages are copied, not moved"),
    ];

    /// <summary>The finding for a kernel that offers <paramref name="offered"/>.</summary>
    internal KernelFinding Judge(UserfaultfdFeatures offered) =>
        (offered & Feature) != 0
            ? new($"feature {KernelName}", "offered", IsOk: true, IsRequired, string.Empty)
            : new($"feature {KernelName}", "not offered", IsOk: false, IsRequired, $"Without it: {Loss}; it needs Linux {Since} or later, with userfaultfd configured for this architecture.");
}
