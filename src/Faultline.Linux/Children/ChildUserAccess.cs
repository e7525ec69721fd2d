using System;

namespace Faultline.Linux.Children;

/// <summary>Accesses by instructions of a thread of the child. A signal ends one with what the kernel says about it.</summary>
internal sealed unsafe class ChildUserAccess : ChildAccess
{
    internal ChildUserAccess(ChildProcess process, StubThread thread)
        : base(process, thread)
    {
    }

    public override AccessMode Mode => AccessMode.User;

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
            Thread.SetAccess(StubOperation.Copy, (ulong)Thread.Buffer, (source + done).Value, (ulong)length);
            result = Run(source, done, length);
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
            Thread.SetAccess(StubOperation.Copy, (target + done).Value, (ulong)Thread.Buffer, (ulong)length);
            result = Run(target, done, length);
            source = source[length..];
            done = result.BytesDone;
        }
        while (result.IsOk && !source.IsEmpty);
        End();
        return result;
    }

    public override AccessResult Load(VirtualAddress address, out ulong value) =>
        One(StubOperation.Load, nameof(Load), address, 0, 0, out value);

    public override AccessResult Store(VirtualAddress address, ulong value) =>
        One(StubOperation.Store, nameof(Store), address, value, 0, out _);

    public override AccessResult CompareExchange(VirtualAddress address, ulong value, ulong comparand, out ulong observed) =>
        One(StubOperation.CompareExchange, nameof(CompareExchange), address, value, comparand, out observed);

    private AccessResult One(StubOperation operation, string call, VirtualAddress address, ulong a1, ulong a2, out ulong value)
    {
        RequireAligned(address, call);
        value = 0;
        if (IsOutOfBounds(address, sizeof(ulong), out AccessResult result))
        {
            return result;
        }

        if (!Begin())
        {
            return new(AccessFault.Killed, default, 0);
        }

        Thread.SetAccess(operation, address.Value, a1, a2);
        if (!Thread.Run(1))
        {
            result = new(AccessFault.Killed, default, 0);
        }
        else
        {
            ref StubCommand command = ref Thread.Command(0);
            AccessFault fault = ChildSignals.Fault(in command);
            result = new(fault, FaultAddress(fault, in command, address), fault == AccessFault.None ? (ulong)sizeof(ulong) : 0);
            value = fault == AccessFault.None ? (ulong)command.Result : 0;
        }

        End();
        return result;
    }

    private AccessResult Run(VirtualAddress start, ulong done, int length)
    {
        if (!Thread.Run(1))
        {
            return new(AccessFault.Killed, default, done);
        }

        ref StubCommand command = ref Thread.Command(0);
        ulong copied = Math.Min((ulong)command.Result, (ulong)length);
        AccessFault fault = ChildSignals.Fault(in command);
        return new(fault, FaultAddress(fault, in command, start + done + copied), done + copied);
    }

    // A general protection fault (an address that is not canonical) tells no address.
    private static VirtualAddress FaultAddress(AccessFault fault, in StubCommand command, VirtualAddress reached) => fault switch
    {
        AccessFault.None or AccessFault.Killed => default,
        _ => command.Address == 0 ? reached : new(command.Address),
    };
}
