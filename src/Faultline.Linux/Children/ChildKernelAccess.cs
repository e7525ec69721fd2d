using System;

namespace Faultline.Linux.Children;

/// <summary>
/// Accesses by the kernel on behalf of a thread of the child: process_vm_writev(2) from the address into the thread's own block, or pread(2) from the
/// arena's file. So they take the same path as any system call with a pointer (copy_from_user, copy_to_user), and count bytes exactly. Neither holds
/// anything while it copies: a pwrite(2) into the file, as this once was, kept the file's lock from every child while it slept in a fault.
/// </summary>
internal sealed unsafe class ChildKernelAccess : ChildAccess
{
    internal ChildKernelAccess(ChildProcess process, StubThread thread)
        : base(process, thread)
    {
    }

    public override AccessMode Mode => AccessMode.Kernel;

    public override AccessResult Read(VirtualAddress source, Span<byte> target)
    {
        if (IsOutOfBounds(source, target.Length, out AccessResult result))
        {
            return result;
        }

        if (!Begin())
        {
            return new(AccessFault.Killed, default, 0);
        }

        ulong done = 0;
        do
        {
            int length = Math.Min(target.Length, StubBlock.BufferBytes);
            result = Transfer(ChildCalls.ProcessVmWritev, source, done, length);
            new ReadOnlySpan<byte>(Thread.Buffer, (int)(result.BytesDone - done)).CopyTo(target);
            target = target[length..];
            done = result.BytesDone;
        }
        while (result.IsOk && !target.IsEmpty);
        End();
        return result;
    }

    public override AccessResult Write(VirtualAddress target, ReadOnlySpan<byte> source)
    {
        if (IsOutOfBounds(target, source.Length, out AccessResult result))
        {
            return result;
        }

        if (!Begin())
        {
            return new(AccessFault.Killed, default, 0);
        }

        ulong done = 0;
        do
        {
            int length = Math.Min(source.Length, StubBlock.BufferBytes);
            source[..length].CopyTo(new Span<byte>(Thread.Buffer, length));
            result = Transfer(ChildCalls.Pread, target, done, length);
            source = source[length..];
            done = result.BytesDone;
        }
        while (result.IsOk && !source.IsEmpty);
        End();
        return result;
    }

    public override AccessResult Load(VirtualAddress address, out ulong value)
    {
        RequireAligned(address, nameof(Load));
        value = 0;
        AccessResult result;
        fixed (ulong* bytes = &value)
        {
            result = Read(address, new Span<byte>(bytes, sizeof(ulong)));
        }

        return result;
    }

    public override AccessResult Store(VirtualAddress address, ulong value)
    {
        RequireAligned(address, nameof(Store));
        return Write(address, new ReadOnlySpan<byte>(&value, sizeof(ulong)));
    }

    public override AccessResult CompareExchange(VirtualAddress address, ulong value, ulong comparand, out ulong observed) =>
        throw new InvalidOperationException($"CompareExchange at {address}: the kernel has no such access. Open an accessor with {nameof(AccessMode)}.{nameof(AccessMode.User)}.");

    // A short count is a fault further on, or a signal; asked again, the kernel says which.
    private AccessResult Transfer(int number, VirtualAddress start, ulong before, int length)
    {
        int done = 0;
        while (done < length)
        {
            ulong there = (start + before + (ulong)done).Value;
            byte* here = Thread.Buffer + done;
            long result = number == ChildCalls.ProcessVmWritev ? CopyFrom(there, here, length - done) : CopyTo(there, here, length - done);
            if (result > 0)
            {
                done += (int)Math.Min(result, length - done);
            }
            else if (result != -(long)Errno.EINTR)
            {
                return new(FaultOf(result), default, before + (ulong)done);
            }
        }

        return new(AccessFault.None, default, before + (ulong)length);
    }

    // In the direction in which the kernel reads the address as its caller's own; the other end is the one it takes for another process' memory.
    private long CopyFrom(ulong there, byte* here, int length)
    {
        nint vectors = StubBlock.SetVectors(Thread.Block, there, here, length);
        return Thread.Call(ChildCalls.ProcessVmWritev, Process.Id, vectors, 1, vectors + StubBlock.VectorBytes, 1);
    }

    private long CopyTo(ulong there, byte* here, int length) =>
        Thread.Call(ChildCalls.Pread, Process.Arena.Descriptor, (nint)there, length, (nint)Process.Arena.OffsetOf(here));

    private static AccessFault FaultOf(long result) => (Errno)(-result) switch
    {
        Errno.ESRCH => AccessFault.Killed,
        Errno.ENOMEM => AccessFault.OutOfMemory,
        Errno.EHWPOISON => AccessFault.HardwarePoison,
        _ => AccessFault.BadAddress,
    };
}
