using System;

namespace Faultline;

/// <summary>
/// A userfaultfd: the context that receives the faults and events of the ranges registered with it, and resolves them.
/// It is tied for ever to the address space it was opened for.
/// </summary>
/// <remarks>
/// All members are safe for concurrent callers and allocate nothing, FORK messages apart. Bad arguments are answered by the engine
/// (EINVAL), never checked here. Disposing while others are inside a call is orderly: the context goes when the last of them is out;
/// calls made afterwards answer EBADF, and <see cref="Read"/> ECANCELED.
/// When the last reference goes, every range is unregistered and every waiter retries and takes the ordinary path; so pages that must not read as zero are
/// to be filled or poisoned before. Sources: userfaultfd(2), ioctl_userfaultfd(2), <c>fs/userfaultfd.c</c>.
/// </remarks>
public interface IUserfaultfd : IDisposable
{
    /// <summary>The flags it was opened with.</summary>
    UserfaultfdOptions Options { get; }

    /// <summary>The features enabled by <see cref="Handshake"/>; none before.</summary>
    UserfaultfdFeatures Features { get; }

    /// <summary>Faults waiting.</summary>
    SystemResult<UserfaultfdCounts> GetCounts();

    /// <summary>UFFDIO_API: enables features, once. Everything else answers EINVAL before.</summary>
    /// <returns>What the engine offers, or EPERM (EVENT_FORK without CAP_SYS_PTRACE), EINVAL (version, unknown feature, second time).</returns>
    SystemResult<UserfaultfdApi> Handshake(UserfaultfdFeatures features, ulong api = UserfaultfdApi.Version);

    /// <summary>UFFDIO_REGISTER: asks for the faults of a range. Modes of the same context are replaced, not joined.</summary>
    /// <returns>EINVAL (arguments, kind of memory), ENOMEM (owner gone, mapping limit), EPERM (never writable), EBUSY (another context's).</returns>
    RegisterResult Register(AddressRange range, RegisterModes modes);

    /// <summary>UFFDIO_UNREGISTER. Wakes the waiters of mappings that had <see cref="RegisterModes.Missing"/>, and no others.</summary>
    /// <returns>EINVAL, ENOMEM (owner gone, mapping limit).</returns>
    SystemResult Unregister(AddressRange range);

    /// <summary>UFFDIO_WAKE: wakes the waiters of this context whose message address lies in the range.</summary>
    /// <returns>EINVAL (range).</returns>
    SystemResult Wake(AddressRange range);

    /// <summary>UFFDIO_COPY from the caller's bytes, which need not be aligned.</summary>
    /// <returns>EAGAIN (changing or partial), EINVAL, ESRCH, ENOENT, EEXIST, EFAULT (beyond the end of file), ENOMEM.</returns>
    FillResult Copy(VirtualAddress target, ReadOnlySpan<byte> source, FillModes modes = FillModes.None);

    /// <summary>UFFDIO_COPY from an address in the owner's address space, issued from there; the source may fault too.</summary>
    /// <returns>As the other overload, and EFAULT if the source cannot be read.</returns>
    FillResult Copy(AddressRange target, VirtualAddress source, FillModes modes = FillModes.None);

    /// <summary>UFFDIO_ZEROPAGE: maps zeroes. Not for hugetlb; needs an entry that is empty, markers included.</summary>
    /// <returns>EAGAIN, EINVAL, ESRCH, ENOENT, EEXIST, EFAULT (beyond the end of file), ENOMEM.</returns>
    FillResult Zeropage(AddressRange range, FillModes modes = FillModes.None);

    /// <summary>UFFDIO_CONTINUE: maps the pages that the page cache holds (shmem and hugetlb, shared and private).</summary>
    /// <returns>EAGAIN, EINVAL (not shmem; beyond the end of a shmem file), ESRCH, ENOENT, EEXIST, EFAULT (hole), ENOMEM, EIO.</returns>
    FillResult Continue(AddressRange range, FillModes modes = FillModes.None);

    /// <summary>UFFDIO_POISON: makes accesses to the pages fail.</summary>
    /// <returns>EAGAIN, EINVAL, ESRCH, ENOENT, EEXIST (anything there, markers included), EFAULT (beyond the end of a shmem file), ENOMEM.</returns>
    FillResult Poison(AddressRange range, FillModes modes = FillModes.None);

    /// <summary>UFFDIO_MOVE: moves pages within the owner's address space, issued from there.</summary>
    /// <returns>EAGAIN, EINVAL, ENOENT, EEXIST, EFAULT, EBUSY, ENOMEM. On Linux 6.18 EEXIST may follow a move that was made: look and wake.</returns>
    FillResult Move(VirtualAddress target, VirtualAddress source, ulong length, MoveModes modes = MoveModes.None);

    /// <summary>UFFDIO_WRITEPROTECT: protects or un-protects pages. Not atomic: earlier mappings stay changed when a later one fails.</summary>
    /// <returns>EAGAIN (changing), EINVAL, ESRCH, ENOENT (a mapping without <see cref="RegisterModes.WriteProtect"/>, or none), ENOMEM.</returns>
    SystemResult WriteProtect(AddressRange range, WriteProtectModes modes);

    /// <summary>
    /// Reads messages: faults first, then events. Waits for the first one unless opened with <see cref="UserfaultfdOptions.NonBlocking"/>.
    /// </summary>
    /// <returns>The number of messages, or EAGAIN (none), EINVAL (no handshake yet, no room), EINTR, EMFILE (a fork event and no free
    /// descriptor; it stays queued), ECANCELED (closed).</returns>
    SystemResult<int> Read(Span<UserfaultfdMessage> messages);
}
