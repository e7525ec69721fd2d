namespace Faultline.Mm;

/// <summary>How the handling of a fault ended (Linux: <c>vm_fault_t</c>).</summary>
internal enum FaultResult
{
    /// <summary>The entry is there now, or was: the access is made again.</summary>
    Done,

    /// <summary>Something was in the way: from the start, after the locks are let go.</summary>
    Retry,

    /// <summary>The thread is queued with a userfaultfd and sleeps after the locks are let go.</summary>
    Wait,

    /// <summary>Nothing is mapped there; guard regions say so too.</summary>
    NotMapped,

    /// <summary>The mapping forbids it.</summary>
    Protection,

    /// <summary>Beyond the end of the file, a swap device that fails, or a userfaultfd that refuses.</summary>
    BusError,

    /// <summary>UFFDIO_POISON.</summary>
    Poisoned,

    OutOfMemory,

    /// <summary>The address space is gone.</summary>
    Killed,
}
