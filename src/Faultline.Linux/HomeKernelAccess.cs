using System;
using System.Threading;
using Faultline.Linux.Abi;

namespace Faultline.Linux;

/// <summary>
/// Access to this process's memory by process_vm_readv(2) and process_vm_writev(2): a missing page waits for its handler, and a
/// bad address is an answer. The calling thread is in a system call meanwhile, where the garbage collector does not wait for it.
/// </summary>
internal sealed unsafe class HomeKernelAccess(int processId) : IMemoryAccess
{
    private int _threadId;
    private int _isCounting;
    private long _minor;
    private long _major;

    public AccessMode Mode => AccessMode.Kernel;

    /// <summary>The thread that made the last access or is making one; before the first, the calling thread.</summary>
    public uint ThreadId
    {
        get
        {
            int id = Volatile.Read(ref _threadId);
            return (uint)(id == 0 ? KernelThread.CurrentId : id);
        }
    }

    /// <summary>The faults of the accesses made since this was first asked: counting costs two system calls an access.</summary>
    public FaultCounts FaultCounts
    {
        get
        {
            Volatile.Write(ref _isCounting, 1);
            return new(Volatile.Read(ref _minor), Volatile.Read(ref _major));
        }
    }

    public AccessResult Read(VirtualAddress source, Span<byte> target)
    {
        fixed (byte* pinned = target)
        {
            return Transfer(source, pinned, (nuint)target.Length, isWrite: false);
        }
    }

    public AccessResult Write(VirtualAddress target, ReadOnlySpan<byte> source)
    {
        fixed (byte* pinned = source)
        {
            return Transfer(target, pinned, (nuint)source.Length, isWrite: true);
        }
    }

    public AccessResult Load(VirtualAddress address, out ulong value)
    {
        CheckAligned(address);
        ulong loaded = 0;
        AccessResult result = Transfer(address, &loaded, sizeof(ulong), isWrite: false);
        value = loaded;
        return result;
    }

    public AccessResult Store(VirtualAddress address, ulong value)
    {
        CheckAligned(address);
        return Transfer(address, &value, sizeof(ulong), isWrite: true);
    }

    public AccessResult CompareExchange(VirtualAddress address, ulong value, ulong comparand, out ulong observed) =>
        throw new InvalidOperationException($"CompareExchange at {address}: the kernel copies bytes, it does not compare them. In an address space of its own, open an accessor with {nameof(AccessMode)}.{nameof(AccessMode.User)}.");

    public void Interrupt()
    {
        int id = Volatile.Read(ref _threadId);
        if (id != 0)
        {
            InterruptSignal.Send(id);
        }
    }

    public void Dispose()
    {
    }

    private static void CheckAligned(VirtualAddress address)
    {
        if (!address.IsAligned(sizeof(ulong)))
        {
            throw new ArgumentException($"Load or Store at {address}: the address must be a multiple of eight. Use Read or Write for others.", nameof(address));
        }
    }

    // The kernel transfers page by page and stops early at the first page that cannot be had; asking again for the rest tells why.
    private AccessResult Transfer(VirtualAddress remoteAddress, void* localAddress, nuint length, bool isWrite)
    {
        Volatile.Write(ref _threadId, KernelThread.CurrentId);
        bool isCounting = Volatile.Read(ref _isCounting) != 0;
        rusage before = default;
        if (isCounting)
        {
            _ = LibC.getrusage(resource_h.RUSAGE_THREAD, &before);
        }

        nuint done = 0;
        Errno errno = Errno.None;
        while (done < length)
        {
            iovec local = new() { iov_base = (byte*)localAddress + done, iov_len = length - done };
            iovec remote = new() { iov_base = (void*)(nuint)(remoteAddress.Value + done), iov_len = length - done };
            nint count = isWrite
                ? LibC.process_vm_writev(processId, &local, 1, &remote, 1, 0)
                : LibC.process_vm_readv(processId, &local, 1, &remote, 1, 0);
            if (count < 0)
            {
                errno = LibC.LastErrno();
                break;
            }

            done += (nuint)count;
        }

        if (isCounting)
        {
            rusage after;
            _ = LibC.getrusage(resource_h.RUSAGE_THREAD, &after);
            Volatile.Write(ref _minor, _minor + after.ru_minflt - before.ru_minflt);
            Volatile.Write(ref _major, _major + after.ru_majflt - before.ru_majflt);
        }

        return new(FaultOf(errno), default, done);
    }

    private static AccessFault FaultOf(Errno errno) => errno switch
    {
        Errno.None => AccessFault.None,
        Errno.EHWPOISON => AccessFault.HardwarePoison,
        Errno.ENOMEM => AccessFault.OutOfMemory,
        Errno.ESRCH => AccessFault.Killed,
        _ => AccessFault.BadAddress,
    };
}
