using System;
using Faultline.Linux.Abi;

namespace Faultline.Linux;

/// <summary>
/// An address space of the running kernel, seen through the one thing that makes system calls in it. What differs between this
/// process and others is in the subclasses.
/// </summary>
internal abstract class LinuxAddressSpace : IAddressSpace
{
    private protected LinuxAddressSpace(SystemCaller caller, UserfaultfdOwner owner, IAddressSpaceInspector inspector)
    {
        Caller = caller;
        Owner = owner;
        Inspector = inspector;
    }

    /// <inheritdoc/>
    public IAddressSpaceInspector Inspector { get; }

    /// <summary>The way to make system calls in the address space.</summary>
    internal SystemCaller Caller { get; }

    /// <summary>What the contexts opened here hold on to.</summary>
    internal UserfaultfdOwner Owner { get; }

    /// <inheritdoc/>
    public SystemResult<VirtualAddress> Map(in MapRequest request)
    {
        LinuxMemoryFile? file = request.File switch
        {
            null => null,
            LinuxMemoryFile linux => linux,
            _ => throw new ArgumentException("The file was made by another engine. Use one from this engine's CreateMemoryFile.", nameof(request)),
        };
        if (file is not null && !file.LinuxDescriptor.TryEnter())
        {
            return new(default, Errno.EBADF);
        }

        long result = Caller.Invoke(
            SystemCallNumbers.Mmap,
            (nint)request.Address.Value,
            (nint)request.Length,
            (nint)request.Protection,
            (nint)request.Options,
            file is null ? -1 : file.LinuxDescriptor.Number,
            (nint)request.Offset);
        file?.LinuxDescriptor.Leave();
        return AddressOf(result);
    }

    /// <inheritdoc/>
    public SystemResult Unmap(AddressRange range) => Call(SystemCallNumbers.Munmap, range);

    /// <inheritdoc/>
    public SystemResult Protect(AddressRange range, Protections protection) => Call(SystemCallNumbers.Mprotect, range, (nint)protection);

    /// <inheritdoc/>
    public SystemResult<VirtualAddress> Remap(AddressRange range, ulong newLength, RemapOptions options, VirtualAddress target = default) =>
        AddressOf(Caller.Invoke(
            SystemCallNumbers.Mremap,
            (nint)range.Start.Value,
            (nint)range.Length,
            (nint)newLength,
            (nint)options,
            (nint)target.Value,
            0));

    /// <inheritdoc/>
    public SystemResult Advise(AddressRange range, Advice advice) => Call(SystemCallNumbers.Madvise, range, (nint)advice);

    /// <inheritdoc/>
    public SystemResult Lock(AddressRange range) => Call(SystemCallNumbers.Mlock, range);

    /// <inheritdoc/>
    public SystemResult LockOnFault(AddressRange range) => Call(SystemCallNumbers.Mlock2, range, mman_h.MLOCK_ONFAULT);

    /// <inheritdoc/>
    public SystemResult Unlock(AddressRange range) => Call(SystemCallNumbers.Munlock, range);

    /// <inheritdoc/>
    public abstract SystemResult<IAddressSpace> Fork();

    /// <inheritdoc/>
    public SystemResult<IUserfaultfd> OpenUserfaultfd(UserfaultfdOptions options, UserfaultfdDoor door = UserfaultfdDoor.SystemCall)
    {
        long result;
        if (door == UserfaultfdDoor.SystemCall)
        {
            result = Caller.Invoke(SystemCallNumbers.Userfaultfd, (nint)(uint)options);
        }
        else
        {
            Errno errno = UserfaultfdDevice.Open(out int device);
            if (errno != Errno.None)
            {
                return new(null!, errno);
            }

            result = Caller.Invoke(SystemCallNumbers.Ioctl, device, (nint)userfaultfd_h.USERFAULTFD_IOC_NEW, (nint)(uint)options);
            _ = LibC.close(device);
        }

        return result < 0
            ? new(null!, (Errno)(-result))
            : new(new LinuxUserfaultfd((int)result, options, UserfaultfdFeatures.None, Owner), Errno.None);
    }

    /// <inheritdoc/>
    public abstract SystemResult<IMemoryAccess> OpenAccess(AccessMode mode = AccessMode.User);

    /// <inheritdoc/>
    public abstract bool TryGetSpan(AddressRange range, out Span<byte> span);

    /// <inheritdoc/>
    public abstract void Dispose();

    private static SystemResult<VirtualAddress> AddressOf(long result) =>
        result is < 0 and >= -4095 ? new(default, (Errno)(-result)) : new(new((ulong)result), Errno.None);

    private SystemResult Call(int number, AddressRange range, nint argument = 0)
    {
        long result = Caller.Invoke(number, (nint)range.Start.Value, (nint)range.Length, argument);
        return new(result < 0 ? (Errno)(-result) : Errno.None);
    }
}
