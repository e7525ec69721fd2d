namespace Faultline;

/// <summary>How an access to memory ended, if not well.</summary>
public enum AccessFault
{
    /// <summary>The access was made.</summary>
    None = 0,

    /// <summary>SIGSEGV, SEGV_MAPERR: nothing is mapped there (guard regions answer so too).</summary>
    NotMapped,

    /// <summary>SIGSEGV, SEGV_ACCERR: the mapping forbids it.</summary>
    Protection,

    /// <summary>SIGBUS, BUS_ADRERR: beyond the end of the file, a userfaultfd with the SIGBUS feature, or a page poisoned by UFFDIO_POISON.</summary>
    BusError,

    /// <summary>SIGBUS, BUS_MCEERR_AR or EHWPOISON: the page is poisoned.</summary>
    HardwarePoison,

    /// <summary>EFAULT: a kernel-mode access failed, for any of the reasons above.</summary>
    BadAddress,

    /// <summary>SIGBUS or ENOMEM because no memory could be had.</summary>
    OutOfMemory,

    /// <summary>The accessing process was killed or its address space is gone.</summary>
    Killed,
}
