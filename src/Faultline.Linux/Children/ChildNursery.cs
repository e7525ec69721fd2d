using System;
using System.Threading;

namespace Faultline.Linux.Children;

/// <summary>
/// Makes child processes. The first one asked for costs a copy of this process, which then unmaps everything and stays as the
/// <em>zygote</em>: all empty address spaces are copies of it, made in well under a millisecond and without a trace of this process in them.
/// </summary>
/// <remarks>
/// No managed or C library instruction runs outside this process. A newborn starts in the stub: it is made by a <em>launcher</em>, a
/// short-lived process that runs the stub in this process' memory. The launcher has two reasons: a process made by the kernel that way
/// has no rseq(2) registration, which a copy of a runtime thread would inherit and die of once its memory is gone; and if the
/// copy blocks on a FORK event, a launcher can be killed, a runtime thread not.
/// All engines of this process share one nursery while there is any: each copy of this process would send a FORK event to whoever
/// watches its memory, so there is as good as never a second one.
/// </remarks>
internal sealed unsafe class ChildNursery
{
    private static readonly Lock SharedGate = new();

    // The one in use, and by how many. Guarded by SharedGate.
    private static ChildNursery? _shared;
    private static int _sharers;

    private readonly Lock _gate = new();

    // Made with the first child. Guarded by _gate.
    private ChildArena? _arena;

    // Null until the first empty address space is asked for. Guarded by _gate.
    private ChildProcess? _zygote;

    // Nobody's any more; calls that come late are refused. Guarded by _gate.
    private bool _released;

    private ChildNursery()
    {
    }

    /// <summary>Whether children can be made here.</summary>
    internal static Capability Capability
    {
        get
        {
            if (!SystemCallNumbers.IsX64)
            {
                return Capability.No("Child address spaces need x86-64: the code that runs in them is machine code. Use the managed engine here.");
            }

            nint pidfd = LibC.syscall(ChildCalls.PidfdOpen, Environment.ProcessId, 0, 0, 0, 0, 0);
            if (pidfd < 0)
            {
                return Capability.No($"Child address spaces need pidfd_open(2), which answered {LibC.LastErrno()}. Linux 5.4 or newer has it.");
            }

            _ = LibC.close((int)pidfd);
            return Capability.Yes;
        }
    }

    /// <summary>The nursery of this process. Pair with <see cref="Release"/>.</summary>
    internal static ChildNursery Acquire()
    {
        lock (SharedGate)
        {
            _sharers++;
            return _shared ??= new ChildNursery();
        }
    }

    /// <summary>Gives the nursery up; the last one ends the zygote. Children that were made live on.</summary>
    internal void Release()
    {
        lock (SharedGate)
        {
            if (--_sharers > 0)
            {
                return;
            }

            _shared = null;
        }

        lock (_gate)
        {
            _released = true;
            _zygote?.Dispose();
            _arena?.RemoveUser();
            _zygote = null;
            _arena = null;
        }
    }

    /// <summary>
    /// Makes the zygote now. Before a context for this process' own memory asks for FORK events: the copy would send one.
    /// </summary>
    internal Errno Prepare()
    {
        lock (_gate)
        {
            return PrepareLocked();
        }
    }

    /// <summary>Makes a process with nothing in it.</summary>
    internal SystemResult<ChildProcess> Create()
    {
        while (true)
        {
            ChildProcess zygote;
            lock (_gate)
            {
                Errno errno = PrepareLocked();
                if (errno != Errno.None)
                {
                    return new(null!, errno);
                }

                zygote = _zygote!;
            }

            SystemResult<ChildProcess> child = zygote.CloneIdle();
            if (child.IsOk || !zygote.HasEnded)
            {
                return child;
            }

            // Someone killed it. Another one is made.
        }
    }

    /// <summary>Makes a copy of this process, of its memory that is: one stub thread runs in it. Blocks while FORK events are unread.</summary>
    /// <param name="launching">Told of the launcher, and with null when it is done with; disposing it ends the wait.</param>
    internal SystemResult<ChildProcess> ForkHome(Action<ChildProcess?> launching)
    {
        ChildArena arena;
        int group;
        lock (_gate)
        {
            Errno errno = MakeArenaLocked();
            if (errno != Errno.None)
            {
                return new(null!, errno);
            }

            arena = _arena!;
            arena.AddUser();
            group = _zygote is { HasEnded: false } ? _zygote.Id : 0;
        }

        SystemResult<ChildProcess> child = CopyHome(arena, launching);
        if (child.IsOk)
        {
            SetUp(child.Value, unmap: false, group);
        }

        arena.RemoveUser();
        return child;
    }

    // sys/signal.h of the kernel
    private const long SaSiginfo = 4;
    private const long SaRestorer = 0x04000000;
    private const long SaNodefer = 0x40000000;

    // The ends of the user addresses with four and with five levels of page tables.
    private const ulong FourLevels = (1UL << 47) - 4096;
    private const ulong FiveLevels = (1UL << 56) - 4096;

    private static SystemResult<ChildProcess> CopyHome(ChildArena arena, Action<ChildProcess?> launching)
    {
        if (!arena.TryTake(out StubBlock* block))
        {
            return new(null!, Errno.EAGAIN);
        }

        StubBlock.Prepare(block, group: 0);
        long id = arena.Spawn(block, ChildCalls.LauncherFlags);
        if (id < 0)
        {
            arena.Return(block);
            return new(null!, (Errno)(-id));
        }

        SystemResult<ChildProcess> launcher = ChildProcess.Adopt(arena, block, (int)id);
        if (!launcher.IsOk)
        {
            return launcher;
        }

        launching(launcher.Value);
        SystemResult<ChildProcess> child = launcher.Value.CloneIdle();
        launching(null);
        launcher.Value.Dispose();
        return child;
    }

    // Everything a copy of this process needs to be one of ours; its copies inherit it.
    private static void SetUp(ChildProcess child, bool unmap, int group)
    {
        StubThread first = child.First;
        ChildArena arena = child.Arena;
        long* action = (long*)first.Buffer;
        action[0] = arena.Handler;
        action[1] = SaSiginfo | SaRestorer | SaNodefer;
        action[2] = arena.Restorer;
        action[3] = (long)ChildSignals.Bit(ChildSignals.Usr1);
        first.SetCall(0, ChildCalls.RtSigaction, ChildSignals.Segv, (nint)action, 0, sizeof(long));
        first.SetCall(1, ChildCalls.RtSigaction, ChildSignals.Bus, (nint)action, 0, sizeof(long));
        first.SetCall(2, ChildCalls.RtSigaction, ChildSignals.Usr1, (nint)action, 0, sizeof(long));

        // A group of its own: what a terminal sends to the foreground group does not reach it, and an orphan can end all.
        first.SetCall(3, ChildCalls.Setpgid, 0, group);

        byte* name = first.Buffer + 64;
        "faultline-space\0"u8.CopyTo(new Span<byte>(name, 16));
        first.SetCall(4, ChildCalls.Prctl, ChildCalls.PrSetName, (nint)name);

        long* limit = (long*)(first.Buffer + 96);
        limit[0] = 0;
        limit[1] = 0;
        first.SetCall(5, ChildCalls.Setrlimit, ChildCalls.RlimitCore, (nint)limit);

        // Nobody unmaps the stub from under itself. Kernels before 6.10 do not know the call.
        first.SetCall(6, ChildCalls.Mseal, (nint)arena.Range.Start.Value, (nint)arena.Range.Length);
        if (first.Run(7) && first.Command(3).Result == 0)
        {
            first.Block->Group = group == 0 ? child.Id : group;
        }

        if (unmap)
        {
            UnmapAll(first, arena.Range);
        }
    }

    // One call a side if it can be; a mapping that is sealed makes it fail as a whole, and then each is taken alone.
    private static void UnmapAll(StubThread thread, AddressRange arena)
    {
        ulong above = arena.End.Value;
        bool done = thread.Call(ChildCalls.Munmap, 0, (nint)arena.Start.Value) == 0
            & (thread.Call(ChildCalls.Munmap, (nint)above, (nint)(FiveLevels - above)) == 0
                || thread.Call(ChildCalls.Munmap, (nint)above, (nint)(FourLevels - above)) == 0);
        if (done)
        {
            return;
        }

        foreach (AddressRange range in ProcessMappings.Read(thread.Id))
        {
            if (!range.Overlaps(arena))
            {
                _ = thread.Call(ChildCalls.Munmap, (nint)range.Start.Value, (nint)range.Length);
            }
        }
    }

    private Errno MakeArenaLocked()
    {
        if (_released)
        {
            return Errno.ECANCELED;
        }

        if (!SystemCallNumbers.IsX64)
        {
            return Errno.EOPNOTSUPP;
        }

        if (_arena is null)
        {
            SystemResult<ChildArena> arena = ChildArena.Create();
            if (!arena.IsOk)
            {
                return arena.Errno;
            }

            _arena = arena.Value;
        }

        return Errno.None;
    }

    private Errno PrepareLocked()
    {
        Errno errno = MakeArenaLocked();
        if (errno != Errno.None)
        {
            return errno;
        }

        _zygote?.NoticeEnd();
        if (_zygote is { HasEnded: false })
        {
            return Errno.None;
        }

        _zygote?.Dispose();
        _zygote = null;
        SystemResult<ChildProcess> child = CopyHome(_arena!, static _ => { });
        if (child.IsOk)
        {
            SetUp(child.Value, unmap: true, group: 0);
            _zygote = child.Value;
        }

        return child.Errno;
    }
}
