namespace Faultline;

/// <summary>
/// Linux error numbers, with the generic (x86-64, arm64) values. They are answers, not exceptions; each call documents which
/// of them it gives, in the order of its checks. Numbers that have no name here may still occur.
/// </summary>
/// <remarks>Source: errno(3). The names are C's on purpose: they are the words every reader of a man page knows.</remarks>
public enum Errno
{
    /// <summary>Success.</summary>
    None = 0,

    /// <summary>The caller lacks the right.</summary>
    EPERM = 1,

    /// <summary>No such entry: not mapped or not registered.</summary>
    ENOENT = 2,

    /// <summary>The owning process is gone.</summary>
    ESRCH = 3,

    /// <summary>Interrupted by a signal.</summary>
    EINTR = 4,

    /// <summary>Input/output error.</summary>
    EIO = 5,

    /// <summary>No such address or offset.</summary>
    ENXIO = 6,

    /// <summary>The descriptor is not open for this.</summary>
    EBADF = 9,

    /// <summary>Try again: nothing is there, or the address space is changing.</summary>
    EAGAIN = 11,

    /// <summary>No memory, or the range is not mapped.</summary>
    ENOMEM = 12,

    /// <summary>The access mode forbids it.</summary>
    EACCES = 13,

    /// <summary>An address could not be accessed.</summary>
    EFAULT = 14,

    /// <summary>In use by another owner.</summary>
    EBUSY = 16,

    /// <summary>Something is already there.</summary>
    EEXIST = 17,

    /// <summary>The file cannot be mapped that way.</summary>
    ENODEV = 19,

    /// <summary>An argument is not valid.</summary>
    EINVAL = 22,

    /// <summary>Too many open files in the system.</summary>
    ENFILE = 23,

    /// <summary>Too many open files in the process.</summary>
    EMFILE = 24,

    /// <summary>The call does not fit the descriptor.</summary>
    ENOTTY = 25,

    /// <summary>The file would become too large.</summary>
    EFBIG = 27,

    /// <summary>No space left.</summary>
    ENOSPC = 28,

    /// <summary>The descriptor has no position.</summary>
    ESPIPE = 29,

    /// <summary>The reading side is closed.</summary>
    EPIPE = 32,

    /// <summary>The call does not exist here.</summary>
    ENOSYS = 38,

    /// <summary>A value is too large.</summary>
    EOVERFLOW = 75,

    /// <summary>Not supported here.</summary>
    EOPNOTSUPP = 95,

    /// <summary>The time ran out.</summary>
    ETIMEDOUT = 110,

    /// <summary>The wait was stopped by <see cref="IUserfaultfdPoller.Stop"/> or by closing the object.</summary>
    ECANCELED = 125,

    /// <summary>The page is poisoned.</summary>
    EHWPOISON = 133,
}
