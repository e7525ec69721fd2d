using System;
using System.Threading;

namespace Faultline.Linux.Children;

/// <summary>The address space of a child process.</summary>
internal sealed class ChildAddressSpace : LinuxAddressSpace
{
    // The end of the user addresses with four levels of page tables: nothing lies behind without asking for it.
    private const ulong UserEnd = (1UL << 47) - 4096;

    private readonly ChildProcess _process;
    private readonly ChildFamily _family;

    // One fork at a time, so that a FORK message finds the owner-to-be.
    private readonly Lock _forking = new();

    internal ChildAddressSpace(ChildFamily family, ChildProcess process, ChildSystemCaller caller, UserfaultfdOwner owner)
        : base(caller, owner, new ChildInspector(process))
    {
        _family = family;
        _process = process;
    }

    public override SystemResult<IAddressSpace> Fork()
    {
        lock (_forking)
        {
            return _family.Fork(Owner, _process.Fork);
        }
    }

    public override SystemResult<IMemoryAccess> OpenAccess(AccessMode mode = AccessMode.User)
    {
        if (!_process.TryEnter())
        {
            return new(null!, Errno.ESRCH);
        }

        if (mode == AccessMode.Peek)
        {
            _process.Leave();
            return new(new PeekAccess(((ChildInspector)Inspector).Peek), Errno.None);
        }

        SystemResult<StubThread> thread = _process.StartThread();
        _process.Leave();
        if (!thread.IsOk)
        {
            return new(null!, thread.Errno);
        }

        return new(
            mode == AccessMode.User ? new ChildUserAccess(_process, thread.Value) : new ChildKernelAccess(_process, thread.Value),
            Errno.None);
    }

    /// <summary>Never: the pages are in another process.</summary>
    public override bool TryGetSpan(AddressRange range, out Span<byte> span)
    {
        span = default;
        return false;
    }

    /// <inheritdoc cref="ChildProcess.HowItEnded"/>
    internal string? HowItEnded
    {
        get
        {
            // Answers only when the process is well, or gone for good: one that is being killed has lost its memory some time before its end can be seen.
            _ = Caller.Invoke(ChildCalls.Getpid);
            return _process.HowItEnded;
        }
    }

    /// <summary>Whether a call waits until the event that it caused is read.</summary>
    internal bool IsWaitingForEvent => _process.IsAnyIn("userfaultfd_event_wait_completion"u8);

    /// <inheritdoc cref="ChildProcess.BindTo"/>
    internal void BindTo(int processor) => _process.BindTo(processor);

    /// <inheritdoc cref="LinuxInspector.Peek"/>
    internal int Peek(VirtualAddress start, Span<byte> target) => ((ChildInspector)Inspector).Peek(start, target);

    /// <summary>
    /// Takes everything out of the address space, as if it were new. Nobody may be in it, and no userfaultfd may watch it.
    /// </summary>
    /// <returns>Whether it is empty now.</returns>
    internal bool TryEmpty()
    {
        AddressRange ours = _process.Arena.Range;
        return Unmap(AddressRange.Between(default, ours.Start)).IsOk && Unmap(AddressRange.Between(ours.End, new(UserEnd))).IsOk;
    }

    /// <summary>Kills the process. Calls and accesses under way answer ESRCH and <see cref="AccessFault.Killed"/>.</summary>
    public override void Dispose()
    {
        _process.Dispose();
        ((ChildInspector)Inspector).Dispose();
        _family.Forget(this);
    }
}
