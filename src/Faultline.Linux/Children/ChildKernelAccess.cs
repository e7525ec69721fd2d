using System;

namespace Faultline.Linux.Children;

/// <summary>
/// Accesses by the kernel on behalf of a thread of the child: pwrite(2) from the address into the arena's file, or pread(2) from there. So they
/// take the same path as any system call with a pointer (copy_from_user, copy_to_user), and count bytes exactly.
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
            result = Transfer(ChildCalls.Pwrite, source, done, length);
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
            byte* here = Thread.Buffer + done;
            long result = Thread.Call(
                number,
                Process.Arena.Descriptor,
                (nint)(start + before + (ulong)done).Value,
                length - done,
                (nint)Process.Arena.OffsetOf(here));
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

    private static AccessFault FaultOf(long result) => (Errno)(-result) switch
    {
        Errno.ESRCH => AccessFault.Killed,
        Errno.ENOMEM => AccessFault.OutOfMemory,
        Errno.EHWPOISON => AccessFault.HardwarePoison,
        _ => AccessFault.BadAddress,
    };
}
