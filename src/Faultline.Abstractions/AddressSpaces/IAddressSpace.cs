using System;

namespace Faultline;

/// <summary>
/// One address space (Linux: <c>mm_struct</c>): its mappings, and the calls that change them.
/// </summary>
/// <remarks>
/// All members are safe for concurrent callers. A call that touches a range registered with the matching event feature blocks until
/// the event is read. Disposing ends the address space as the exit of its process would.
/// </remarks>
public interface IAddressSpace : IDisposable
{
    /// <summary>Shows what the address space holds.</summary>
    IAddressSpaceInspector Inspector { get; }

    /// <summary>Maps memory (mmap(2)).</summary>
    /// <returns>The address, or EINVAL, ENOMEM, EEXIST (<see cref="MapOptions.FixedNoReplace"/>), EACCES, EPERM (seals), ENODEV, EOVERFLOW.</returns>
    SystemResult<VirtualAddress> Map(in MapRequest request);

    /// <summary>Unmaps a range (munmap(2)); holes are fine. Sends UNMAP after the fact.</summary>
    /// <returns>EINVAL (unaligned or empty range), ENOMEM (a split beyond the mapping limit).</returns>
    SystemResult Unmap(AddressRange range);

    /// <summary>Changes the rights of a range (mprotect(2)).</summary>
    /// <returns>EINVAL, ENOMEM (a hole, or the mapping limit), EACCES (the file does not allow it).</returns>
    SystemResult Protect(AddressRange range, Protections protection);

    /// <summary>Moves or resizes a mapping (mremap(2)). A move sends REMAP and UNMAP events.</summary>
    /// <param name="range">The old range.</param>
    /// <param name="newLength">The new length in bytes.</param>
    /// <param name="options">How.</param>
    /// <param name="target">The new address, with <see cref="RemapOptions.Fixed"/>.</param>
    /// <returns>The address, or EINVAL, EFAULT (nothing mapped there), ENOMEM, EAGAIN.</returns>
    SystemResult<VirtualAddress> Remap(AddressRange range, ulong newLength, RemapOptions options, VirtualAddress target = default);

    /// <summary>Gives advice about a range, some of which has effects (madvise(2)).</summary>
    /// <returns>EINVAL, ENOMEM (a hole), EAGAIN, EBUSY (collapse), EFAULT or EHWPOISON (populate).</returns>
    SystemResult Advise(AddressRange range, Advice advice);

    /// <summary>Populates a range and keeps it resident (mlock(2)).</summary>
    /// <returns>EINVAL, ENOMEM (a hole, a limit, or a page that could not be had), EAGAIN, EPERM.</returns>
    SystemResult Lock(AddressRange range);

    /// <summary>Keeps pages of a range resident once they are there, and brings none (mlock2(2), MLOCK_ONFAULT).</summary>
    /// <returns>EINVAL, ENOMEM (a hole, or a limit), EAGAIN, EPERM.</returns>
    SystemResult LockOnFault(AddressRange range);

    /// <summary>Undoes <see cref="Lock"/> and <see cref="LockOnFault"/> (munlock(2)).</summary>
    /// <returns>EINVAL, ENOMEM.</returns>
    SystemResult Unlock(AddressRange range);

    /// <summary>Copies the address space, with copy-on-write (fork(2)). Blocks while FORK events are unread.</summary>
    /// <returns>The child, or ENOMEM, EAGAIN, EOPNOTSUPP.</returns>
    SystemResult<IAddressSpace> Fork();

    /// <summary>Opens a userfaultfd for this address space; the handshake is still to be made.</summary>
    /// <param name="options">The flags; a bit that is not named is passed on and answered with EINVAL.</param>
    /// <param name="door">By system call or by device.</param>
    /// <returns>The context, or EPERM (see doctor), EINVAL, EMFILE, ENFILE, ENOMEM, ENOENT or EACCES (device).</returns>
    SystemResult<IUserfaultfd> OpenUserfaultfd(UserfaultfdOptions options, UserfaultfdDoor door = UserfaultfdDoor.SystemCall);

    /// <summary>Makes an accessor: the way to read and write memory that may fault. One for each thread that waits on its own.</summary>
    /// <returns>The accessor, or EAGAIN, ENOMEM, EOPNOTSUPP.</returns>
    SystemResult<IMemoryAccess> OpenAccess(AccessMode mode = AccessMode.User);

    /// <summary>
    /// The bytes of a range that the caller has made resident and keeps resident, if the program can address them as one piece.
    /// Never touches the memory. False in an address space that is not <see cref="IMemoryEngine.Home"/>, and where the pages are scattered.
    /// </summary>
    bool TryGetSpan(AddressRange range, out Span<byte> span);
}
