namespace Faultline.Sync;

/// <summary>
/// Every lock of Faultline. The order of the members is the lock order: a thread may take a lock only if its rank is higher
/// than that of every lock it holds, and never twice the same rank. Outermost first.
/// </summary>
public enum LockRank
{
    /// <summary>Pager: the list of images, regions and contexts.</summary>
    PagerRegistry,

    /// <summary>Pager: one client context. Reading messages and applying its events exclude installs in it.</summary>
    PagerContext,

    /// <summary>Pager: the states of one image's pages.</summary>
    PagerImage,

    /// <summary>Dirty tracking: the pages written so far against their protection.</summary>
    PagerDirty,

    /// <summary>Pager: the streams found in the touches of one region.</summary>
    PagerStreams,

    /// <summary>Pager: guesses that wait for their turn.</summary>
    PagerGuesses,

    /// <summary>Pager: parked retries.</summary>
    PagerParking,

    /// <summary>Pager: buffers, loads, workers and accessors that lie ready for their next use.</summary>
    PagerSpares,

    /// <summary>Managed engine: reclaim in the background, against checks of the whole engine.</summary>
    MmReclaim,

    /// <summary>Managed engine: its address spaces and files.</summary>
    MmEngine,

    /// <summary>Managed engine: size and contents of one file against each other (Linux: <c>inode.i_rwsem</c>).</summary>
    MmFile,

    /// <summary>Managed engine: the mappings of one address space (Linux: <c>mmap_lock</c>).</summary>
    MmMap,

    /// <summary>Managed engine: one mapping, held by a fault (Linux: <c>vm_area_struct.vm_lock_seq</c>).</summary>
    MmVma,

    /// <summary>Managed engine: fills against the beginning of an event (Linux: <c>userfaultfd_ctx.map_changing_lock</c>).</summary>
    MmMapChanging,

    /// <summary>Managed engine: faults on one hugetlb page (Linux: <c>hugetlb_fault_mutex_table</c>).</summary>
    MmHugetlbFault,

    /// <summary>Managed engine: one folio (Linux: <c>PG_locked</c>).</summary>
    MmFolio,

    /// <summary>Managed engine: the mappings of one file (Linux: <c>address_space.i_mmap_rwsem</c>).</summary>
    MmFileMappings,

    /// <summary>Managed engine: the mappings of anonymous memory with one root (Linux: <c>anon_vma.rwsem</c>).</summary>
    MmAnonVma,

    /// <summary>Managed engine: the entries of one page table (Linux: the split page-table lock).</summary>
    MmPageTable,

    /// <summary>Managed engine: the slots of one page cache (Linux: <c>xa_lock</c>).</summary>
    MmPageCache,

    /// <summary>Managed engine: the slots of the swap area.</summary>
    MmSwap,

    /// <summary>Managed engine: the hugetlb pool and its reservations.</summary>
    MmHugetlbPool,

    /// <summary>Managed engine: the LRU lists.</summary>
    MmLru,

    /// <summary>Managed engine: the free frames kept by one processor.</summary>
    MmFrameCache,

    /// <summary>Managed engine: the free lists (Linux: <c>zone.lock</c>).</summary>
    MmBuddy,

    /// <summary>Managed engine: the queues of one userfaultfd.</summary>
    MmUserfaultfdQueue,

    /// <summary>Managed engine: one poller.</summary>
    MmPoller,

    /// <summary>Managed engine: the table of owners of folios.</summary>
    MmOwners,

    /// <summary>Managed engine: the accessors of one address space, for shoot-down.</summary>
    MmShootdown,
}
