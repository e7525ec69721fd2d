using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Threading;

namespace Faultline.Linux.Children;

/// <summary>
/// A process that consists of stub threads. Its first thread only starts others and clones itself, so it is never asleep in a system call
/// or a fault; calls go to a pool of further threads that grows with the calls under way.
/// </summary>
/// <remarks>
/// Whoever uses a thread of it holds a lease (<see cref="TryEnter"/>); the blocks go back to the arena with the last lease after the
/// process has been reaped, so no client ever looks at a block that is someone else's.
/// Locks: <c>_spawning</c> before <c>_gate</c>; the arena's after both.
/// </remarks>
internal sealed unsafe class ChildProcess : IDisposable
{
    private readonly ChildArena _arena;
    private readonly int _pidfd;
    private readonly StubThread _first;

    // Held while the first thread is used.
    private readonly Lock _spawning = new();
    private readonly Lock _gate = new();

    // Every thread whose block is not given back yet. Guarded by _gate.
    private readonly List<StubThread> _threads = [];

    // Threads of the pool that are free. Guarded by _gate.
    private readonly Stack<StubThread> _idle = new();

    // Leases, and one for the time until Dispose. Guarded by _gate.
    private int _leases = 1;

    // No new leases. Guarded by _gate.
    private bool _disposed;

    private volatile bool _hasEnded;

    // Killed by Dispose; guarded by _gate.
    private bool _wasEndedHere;

    // What the kernel says of the end. Guarded by _gate.
    private string? _end;

    private ChildProcess(ChildArena arena, StubBlock* block, int id, int pidfd)
    {
        _arena = arena;
        Id = id;
        _pidfd = pidfd;
        _first = new StubThread(this, block, id);
        _threads.Add(_first);
        arena.AddUser();
    }

    /// <summary>The process id.</summary>
    internal int Id { get; }

    /// <summary>Whether the process is known to be gone.</summary>
    internal bool HasEnded => _hasEnded;

    /// <summary>How the process ended though nobody disposed it, or null. Looks; null costs a system call.</summary>
    internal string? HowItEnded
    {
        get
        {
            NoticeEnd();
            lock (_gate)
            {
                return _hasEnded && !_wasEndedHere ? _end : null;
            }
        }
    }

    /// <summary>The arena its blocks are in.</summary>
    internal ChildArena Arena => _arena;

    /// <summary>The first thread, for setting up before anyone else knows the process.</summary>
    internal StubThread First => _first;

    /// <summary>Takes a newborn over: <paramref name="id"/> is a child of this process that nobody else reaps.</summary>
    internal static SystemResult<ChildProcess> Adopt(ChildArena arena, StubBlock* block, int id)
    {
        nint pidfd = LibC.syscall(ChildCalls.PidfdOpen, id, 0, 0, 0, 0, 0);
        if (pidfd >= 0)
        {
            return new(new ChildProcess(arena, block, id, (int)pidfd), Errno.None);
        }

        // Out of descriptors, most likely. It is our unreaped child, so the number is still its own.
        Errno errno = LibC.LastErrno();
        _ = LibC.syscall(Kill, id, ChildSignals.Kill, 0, 0, 0, 0);
        _ = LibC.syscall(ChildCalls.Waitid, WaitPid, id, 0, ChildCalls.WaitExited | ChildCalls.WaitAll, 0, 0);
        arena.Return(block);
        return new(null!, errno);
    }

    /// <summary>Keeps the blocks; false after <see cref="Dispose"/>. Pair with <see cref="Leave"/>.</summary>
    internal bool TryEnter()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return false;
            }

            _leases++;
            return true;
        }
    }

    /// <summary>Ends a lease; the last one gives the blocks back.</summary>
    internal void Leave()
    {
        lock (_gate)
        {
            if (--_leases > 0)
            {
                return;
            }
        }

        Debug.Assert(_hasEnded, "The process is reaped before its first lease ends.");
        foreach (StubThread thread in _threads)
        {
            _arena.Return(thread.Block);
        }

        _ = LibC.close(_pidfd);
        _arena.RemoveUser();
    }

    /// <summary>Takes a thread of the pool that is free, or starts one. Under a lease; pair with <see cref="GiveBack"/>.</summary>
    internal SystemResult<StubThread> Take()
    {
        lock (_gate)
        {
            if (_idle.TryPop(out StubThread? thread))
            {
                return new(thread, Errno.None);
            }
        }

        return StartThread();
    }

    /// <summary>Gives a thread back to the pool.</summary>
    internal void GiveBack(StubThread thread)
    {
        lock (_gate)
        {
            _idle.Push(thread);
        }
    }

    /// <summary>Starts a thread. Under a lease.</summary>
    internal SystemResult<StubThread> StartThread()
    {
        if (!_arena.TryTake(out StubBlock* block))
        {
            return new(null!, Errno.EAGAIN);
        }

        lock (_spawning)
        {
            // The block's pages are mapped first, so that they are not counted as faults of the newborn.
            StubBlock.Prepare(block, _first.Block->Group);
            _first.SetCall(0, ChildCalls.Madvise, (nint)block, StubBlock.Bytes, ChildCalls.MadvPopulateWrite);
            long id = CloneFrom(_first, 1, ChildCalls.ThreadFlags, block);
            if (id < 0)
            {
                _arena.Return(block);
                return new(null!, (Errno)(-id));
            }

            StubThread thread = new(this, block, (int)id) { SharesProcessor = _first.SharesProcessor };
            lock (_gate)
            {
                _threads.Add(thread);
                if (_hasEnded)
                {
                    thread.MarkEnded();
                }
            }

            return new(thread, Errno.None);
        }
    }

    /// <summary>Ends a thread that is not in use, and gives its block back. Under a lease.</summary>
    internal void EndThread(StubThread thread)
    {
        thread.PostExit();
        thread.AwaitExit();
        lock (_gate)
        {
            // If the process has ended, the last lease gives all blocks back.
            if (!_hasEnded && _threads.Remove(thread))
            {
                _arena.Return(thread.Block);
            }
        }
    }

    /// <summary>Copies the process, from its first thread. The memory must not be registered with a userfaultfd: the call must not block.</summary>
    internal SystemResult<ChildProcess> CloneIdle()
    {
        if (!TryEnter())
        {
            return new(null!, Errno.ESRCH);
        }

        SystemResult<ChildProcess> clone;
        lock (_spawning)
        {
            clone = Clone(_first);
        }

        Leave();
        return clone;
    }

    /// <summary>Copies the process, from a thread of the pool: the call may block until an event is read.</summary>
    internal SystemResult<ChildProcess> Fork()
    {
        if (!TryEnter())
        {
            return new(null!, Errno.ESRCH);
        }

        SystemResult<StubThread> thread = Take();
        SystemResult<ChildProcess> clone = new(null!, thread.Errno);
        if (thread.IsOk)
        {
            clone = Clone(thread.Value);
            GiveBack(thread.Value);
        }

        Leave();
        return clone;
    }

    /// <summary>
    /// Binds the first thread, and with it all that are started from now on, to the processor of its only client: so they take turns without waking each
    /// other up from afar. Before the process has other threads.
    /// </summary>
    internal void BindTo(int processor)
    {
        if (TryEnter())
        {
            _first.SharesProcessor = ProcessorBinding.Bind(_first.Id, [processor]);
            Leave();
        }
    }

    /// <summary>Sends a thread the interrupt signal. Never after the process was reaped, when its number may be another's.</summary>
    internal void Interrupt(StubThread thread)
    {
        lock (_gate)
        {
            if (!_hasEnded)
            {
                _ = LibC.syscall(ChildCalls.Tgkill, Id, thread.Id, ChildSignals.Usr1, 0, 0, 0);
            }
        }
    }

    /// <summary>Whether any thread sleeps in a function of the kernel, in the middle of a command.</summary>
    internal bool IsAnyIn(ReadOnlySpan<byte> function)
    {
        lock (_gate)
        {
            foreach (StubThread thread in _threads)
            {
                if (!_hasEnded && thread.IsBusy && BlockedThread.IsInFunction(thread.Id, function))
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Looks whether the process is gone, and if so, tells every client.</summary>
    internal void NoticeEnd()
    {
        if (!_hasEnded && HasExited(ChildCalls.WaitNoHang))
        {
            Reap();
        }
    }

    /// <summary>Kills the process and reaps it. Clients that wait are told.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            _wasEndedHere = !_hasEnded;
        }

        if (!_hasEnded)
        {
            _ = LibC.syscall(ChildCalls.PidfdSendSignal, _pidfd, ChildSignals.Kill, 0, 0, 0, 0);
            _ = HasExited(0);
            Reap();
        }

        Leave();
    }

    private const int Kill = 62;
    private const int CodeBytes = 4096;
    private const int WaitPid = 1;

    private static long CloneFrom(StubThread thread, int index, int flags, StubBlock* block)
    {
        ref StubCommand command = ref thread.Command(index);
        command.Operation = StubOperation.Clone;
        command.A0 = flags;
        command.A1 = (nint)block;
        return thread.Run(index + 1) ? thread.Command(index).Result : -(long)Errno.ESRCH;
    }

    private SystemResult<ChildProcess> Clone(StubThread thread)
    {
        if (!_arena.TryTake(out StubBlock* block))
        {
            return new(null!, Errno.EAGAIN);
        }

        StubBlock.Prepare(block, _first.Block->Group);
        long id = CloneFrom(thread, 0, ChildCalls.ProcessFlags, block);
        if (id == -(long)Errno.ESRCH && block->ThreadId != 0)
        {
            // Killed between the clone and the answer. The kernel had told the number by then.
            id = block->ThreadId;
        }

        if (id < 0)
        {
            _arena.Return(block);
            return new(null!, (Errno)(-id));
        }

        SystemResult<ChildProcess> child = Adopt(_arena, block, (int)id);
        if (child.IsOk)
        {
            child.Value._first.SharesProcessor = _first.SharesProcessor;
        }

        return child.IsOk && !child.Value.Populate() ? Abandon(child.Value) : child;
    }

    private static SystemResult<ChildProcess> Abandon(ChildProcess child)
    {
        child.Dispose();
        return new(null!, Errno.ESRCH);
    }

    // A clone has no page-table entries for the arena. They are made now, so that they are not counted as faults of a thread later.
    private bool Populate()
    {
        _first.SetCall(0, ChildCalls.Madvise, (nint)_first.Block, StubBlock.Bytes, ChildCalls.MadvPopulateWrite);
        _first.SetCall(1, ChildCalls.Madvise, (nint)_arena.Range.Start.Value, CodeBytes, ChildCalls.MadvPopulateRead);
        return _first.Run(2);
    }

    // Leaves the process to be reaped, so its number stays its own. Several may ask at once; who comes too late is told that there is no such child.
    private bool HasExited(int options)
    {
        int* information = stackalloc int[32];
        information[InformationPid] = 0;
        Errno errno;
        do
        {
            errno = Wait(information, ChildCalls.WaitNoWait | options);
        }
        while (errno == Errno.EINTR);
        return errno != Errno.None || information[InformationPid] != 0;
    }

    private void Reap()
    {
        lock (_gate)
        {
            if (_hasEnded)
            {
                return;
            }

            int* information = stackalloc int[32];
            _ = Wait(information, 0);
            _end = string.Create(
                CultureInfo.InvariantCulture,
                $"process {Id} {(information[InformationCode] == Exited ? "exited with" : "was ended by signal")} {information[InformationStatus]}");
            _hasEnded = true;
            foreach (StubThread thread in _threads)
            {
                thread.MarkEnded();
            }
        }
    }

    private Errno Wait(int* information, int options) => LibC.ErrnoOf(LibC.syscall(
        ChildCalls.Waitid,
        ChildCalls.WaitPidfd,
        _pidfd,
        (nint)information,
        ChildCalls.WaitExited | ChildCalls.WaitAll | options,
        0,
        0));

    // si_pid in siginfo_t, in ints: the union before it is aligned to eight bytes.
    private const int InformationPid = 4;
    private const int InformationCode = 2;
    private const int InformationStatus = 6;

    // CLD_EXITED in si_code.
    private const int Exited = 1;
}
