using System;
using System.Collections.Generic;
using System.Threading;

namespace Faultline.Linux.Children;

/// <summary>
/// The memory that this process and all its children share: the stub's code in the first slot, control blocks in the others. It is a
/// memfd mapped before the first child is made, so it has one address everywhere, and its descriptor lets a child's kernel-mode accesses go
/// straight into a block. Counted by its users; the last one unmaps it.
/// </summary>
internal sealed unsafe class ChildArena
{
    private const int Slots = 4096;
    private const int ProtRead = 1;
    private const int ProtWrite = 2;
    private const int ProtExec = 4;
    private const int MapShared = 1;
    private const int MapFixed = 0x10;

    private readonly Lock _gate = new();

    // Slots given back. Guarded by _gate.
    private readonly Stack<nint> _free = new();

    // The first slot never used. Guarded by _gate.
    private int _fresh = 1;

    // Users; at zero the memory goes. Guarded by _gate.
    private int _users = 1;

    private ChildArena(int descriptor, nint start)
    {
        Descriptor = descriptor;
        Range = new AddressRange(new((ulong)start), Bytes);
    }

    /// <summary>The size of the address range; memory is taken as it is used.</summary>
    internal const ulong Bytes = (ulong)Slots * StubBlock.Bytes;

    /// <summary>The addresses, here and in every child.</summary>
    internal AddressRange Range { get; }

    /// <summary>The part of it that was ever in use: nothing behind it is in any page table.</summary>
    internal AddressRange Used
    {
        get
        {
            lock (_gate)
            {
                return Range with { Length = (ulong)_fresh * StubBlock.Bytes };
            }
        }
    }

    /// <summary>The memfd.</summary>
    internal int Descriptor { get; }

    /// <summary>The address of the signal handler.</summary>
    internal nint Handler => (nint)Range.Start.Value + StubCode.Handler;

    /// <summary>The address of the return from a signal.</summary>
    internal nint Restorer => (nint)Range.Start.Value + StubCode.Restorer;

    /// <summary>Makes the arena and puts the code into it. The code page is never writable.</summary>
    internal static SystemResult<ChildArena> Create()
    {
        int descriptor;
        fixed (byte* name = "faultline-children\0"u8)
        {
            descriptor = LibC.memfd_create(name, MfdCloexec);
        }

        if (descriptor < 0)
        {
            return new(null!, LibC.LastErrno());
        }

        Errno errno = Fill(descriptor, out nint start);
        if (errno != Errno.None)
        {
            _ = LibC.close(descriptor);
            return new(null!, errno);
        }

        return new(new ChildArena(descriptor, start), Errno.None);
    }

    /// <summary>Runs the stub's spawn on the calling thread.</summary>
    /// <returns>The process id, or a negative error number.</returns>
    internal long Spawn(StubBlock* block, int cloneFlags)
    {
        var spawn = (delegate* unmanaged<StubBlock*, nint, nint>)((nint)Range.Start.Value + StubCode.Spawn);
        return spawn(block, cloneFlags);
    }

    /// <summary>Takes a block; false when all are in use.</summary>
    internal bool TryTake(out StubBlock* block)
    {
        lock (_gate)
        {
            if (_free.TryPop(out nint slot))
            {
                block = (StubBlock*)slot;
                return true;
            }

            bool any = _fresh < Slots;
            block = any ? (StubBlock*)(Range.Start.Value + ((ulong)_fresh++ * StubBlock.Bytes)) : null;
            return any;
        }
    }

    /// <summary>Gives a block back that no thread runs on any more.</summary>
    internal void Return(StubBlock* block)
    {
        lock (_gate)
        {
            _free.Push((nint)block);
        }
    }

    /// <summary>The offset of an address of the arena in <see cref="Descriptor"/>.</summary>
    internal long OffsetOf(void* address) => (long)((ulong)address - Range.Start.Value);

    /// <summary>Whether a range, which may wrap around, touches the arena.</summary>
    internal bool Touches(ulong start, ulong length)
    {
        ulong end = unchecked(start + length);
        if (end < start)
        {
            end = ulong.MaxValue;
        }

        return start < Range.End.Value && end > Range.Start.Value;
    }

    /// <summary>Adds a user.</summary>
    internal void AddUser()
    {
        lock (_gate)
        {
            _users++;
        }
    }

    /// <summary>Takes a user away.</summary>
    internal void RemoveUser()
    {
        lock (_gate)
        {
            if (--_users > 0)
            {
                return;
            }
        }

        _ = LibC.syscall(ChildCalls.Munmap, (nint)Range.Start.Value, (nint)Range.Length, 0, 0, 0, 0);
        _ = LibC.close(Descriptor);
    }

    private const uint MfdCloexec = 1;

    private static Errno Fill(int descriptor, out nint start)
    {
        start = 0;
        if (LibC.ftruncate(descriptor, (long)Bytes) < 0)
        {
            return LibC.LastErrno();
        }

        ReadOnlySpan<byte> code = StubCode.Bytes;
        fixed (byte* bytes = code)
        {
            if (LibC.pwrite(descriptor, bytes, (nuint)code.Length, 0) != code.Length)
            {
                return LibC.LastErrno();
            }
        }

        start = LibC.syscall(ChildCalls.Mmap, 0, (nint)Bytes, ProtRead | ProtWrite, MapShared, descriptor, 0);
        if (start == -1)
        {
            return LibC.LastErrno();
        }

        nint page = LibC.syscall(ChildCalls.Mmap, start, StubBlock.Bytes, ProtRead | ProtExec, MapShared | MapFixed, descriptor, 0);
        if (page == -1)
        {
            Errno errno = LibC.LastErrno();
            _ = LibC.syscall(ChildCalls.Munmap, start, (nint)Bytes, 0, 0, 0, 0);
            return errno;
        }

        return Errno.None;
    }
}
