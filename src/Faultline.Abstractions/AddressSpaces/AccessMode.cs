namespace Faultline;

/// <summary>On whose behalf an access is made; it decides how the thread waits and what an error looks like.</summary>
public enum AccessMode
{
    /// <summary>As an instruction of the program: waits interruptibly, ends in a signal.</summary>
    User = 0,

    /// <summary>
    /// As a system call that copies to or from the program's memory: ends in EFAULT; refused by a userfaultfd opened with <see
    /// cref="UserfaultfdOptions.UserModeOnly"/>.
    /// </summary>
    Kernel = 1,

    /// <summary>
    /// As a read of <c>/proc/pid/mem</c>, for whoever resolves faults: where a userfaultfd would have to be asked it ends in EFAULT at once, without a
    /// message. What the kernel brings by itself is brought. Stores end in EFAULT.
    /// </summary>
    Peek = 2,
}
