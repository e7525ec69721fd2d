namespace Faultline.Paging;

/// <summary>How writes are noticed.</summary>
public enum DirtyTracking
{
    /// <summary>
    /// Asynchronous write-protection (UFFD_FEATURE_WP_ASYNC, Linux 6.7): the kernel notes the first write to a page by itself, and
    /// PAGEMAP_SCAN takes the notes and protects again in one step. Costs a writer one short fault a page. Memory discarded with MADV_DONTNEED
    /// counts as written.
    /// </summary>
    Asynchronous,

    /// <summary>
    /// Synchronous write-protection (UFFD_FEATURE_PAGEFAULT_FLAG_WP and WP_UNPOPULATED, Linux 6.4): the first write to a page waits for a
    /// thread of the tracker, which notes it. What others discard with MADV_DONTNEED while the tracker runs is not noticed.
    /// </summary>
    Synchronous,
}
