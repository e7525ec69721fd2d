using System;

namespace Faultline.Linux.Children;

/// <summary>System calls of a child, made by threads of its pool.</summary>
internal sealed unsafe class ChildSystemCaller : SystemCaller
{
    private const int MapFixed = 0x10;
    private const int MremapFixed = 2;

    private readonly ChildProcess _process;

    internal ChildSystemCaller(ChildProcess process) => _process = process;

    internal override int ProcessId => _process.Id;

    internal override long Invoke(long number, nint a0, nint a1, nint a2, nint a3, nint a4, nint a5)
    {
        if (TouchesArena(number, a0, a1, a2, a3, a4))
        {
            return -(long)Errno.EPERM;
        }

        if (!_process.TryEnter())
        {
            return -(long)Errno.ESRCH;
        }

        SystemResult<StubThread> thread = _process.Take();
        long result = -(long)thread.Errno;
        if (thread.IsOk)
        {
            result = thread.Value.Call(number, a0, a1, a2, a3, a4, a5);
            _process.GiveBack(thread.Value);
        }

        _process.Leave();
        return result;
    }

    internal override long InvokeIoctl(int descriptor, uint request, Span<byte> argument)
    {
        if (!_process.TryEnter())
        {
            return -(long)Errno.ESRCH;
        }

        SystemResult<StubThread> thread = _process.Take();
        long result = -(long)thread.Errno;
        if (thread.IsOk)
        {
            Span<byte> there = new(thread.Value.Buffer, argument.Length);
            argument.CopyTo(there);
            result = thread.Value.Call(ChildCalls.Ioctl, descriptor, (nint)request, (nint)thread.Value.Buffer);
            if (result != -(long)Errno.ESRCH)
            {
                there.CopyTo(argument);
            }

            _process.GiveBack(thread.Value);
        }

        _process.Leave();
        return result;
    }

    // The arena is what keeps the child going. mseal(2) protects the mapping where it exists; this protects it everywhere, and its contents too.
    private bool TouchesArena(long number, nint a0, nint a1, nint a2, nint a3, nint a4) => number switch
    {
        ChildCalls.Mmap => (a3 & MapFixed) != 0 && _process.Arena.Touches((ulong)a0, (ulong)a1),
        ChildCalls.Mremap => _process.Arena.Touches((ulong)a0, (ulong)a1)
            || ((a3 & MremapFixed) != 0 && _process.Arena.Touches((ulong)a4, (ulong)a2)),
        ChildCalls.Munmap or ChildCalls.Mprotect or ChildCalls.Madvise or ChildCalls.Mlock or ChildCalls.Mlock2 or ChildCalls.Munlock
            => _process.Arena.Touches((ulong)a0, (ulong)a1),
        _ => false,
    };
}
