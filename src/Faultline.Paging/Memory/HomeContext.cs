namespace Faultline.Paging;

/// <summary>Opens the userfaultfd for memory of this program.</summary>
internal static class HomeContext
{
    /// <summary>Without POISON a page that could not be brought would leave its reader asleep; without the others there are no minor
    /// faults.</summary>
    private const UserfaultfdFeatures Required = UserfaultfdFeatures.MissingShmem | UserfaultfdFeatures.MinorShmem | UserfaultfdFeatures.Poison;

    private const UserfaultfdOptions Ordinary = UserfaultfdOptions.CloseOnExec | UserfaultfdOptions.NonBlocking;

    /// <summary>
    /// By system call, by device, or, where neither is allowed, for faults of user mode only: leases work with that too, because they
    /// install pages before they touch them.
    /// </summary>
    /// <exception cref="MemoryEngineException">None of the ways is open.</exception>
    public static IUserfaultfd Open(IAddressSpace home, DirtyTracking tracking)
    {
        UserfaultfdFeatures required = tracking == DirtyTracking.Asynchronous ? Required | UserfaultfdFeatures.WriteProtectAsync : Required;
        SystemResult<IUserfaultfd> opened = UserfaultfdHandshake.Open(home, required, options: Ordinary);
        if (opened.Errno == Errno.EPERM)
        {
            opened = UserfaultfdHandshake.Open(home, required, options: Ordinary, door: UserfaultfdDoor.Device);
        }

        if (opened.Errno is Errno.EPERM or Errno.EACCES or Errno.ENOENT or Errno.ENXIO or Errno.ENODEV)
        {
            opened = UserfaultfdHandshake.Open(home, required, options: Ordinary | UserfaultfdOptions.UserModeOnly);
        }

        if (opened.IsOk)
        {
            return opened.Value;
        }

        string advice = opened.Errno == Errno.EINVAL
            ? "This needs minor faults on shmem and UFFDIO_POISON: Linux 6.6 or later; asynchronous tracking needs 6.7."
            : "Run with CAP_SYS_PTRACE, allow access to /dev/userfaultfd, or set vm.unprivileged_userfaultfd to 1.";
        throw new MemoryEngineException("userfaultfd", default, opened.Errno, advice);
    }
}
