using System;
using System.Threading;

namespace Faultline.Mm;

/// <summary>The public face of one address space: every call is a file of its own in this folder.</summary>
internal sealed class AddressSpace : IAddressSpace
{
    private readonly ManagedEngine _engine;
    private readonly bool _isHome;
    private int _isDisposed;

    public AddressSpace(ManagedEngine engine, MmState mm, bool isHome)
    {
        _engine = engine;
        _isHome = isHome;
        State = mm;
        Inspector = new AddressSpaceInspector(mm);
    }

    public MmState State { get; }

    public IAddressSpaceInspector Inspector { get; }

    public SystemResult<VirtualAddress> Map(in MapRequest request)
    {
        if (request.File is not null and not FileHandle)
        {
            throw new ArgumentException("The managed engine maps files of the managed engine only.", nameof(request));
        }

        using var use = MmUse.Begin(State);
        return use.IsHeld ? Mmap.Run(State, in request) : new(default, Errno.ESRCH);
    }

    public SystemResult Unmap(AddressRange range)
    {
        using var use = MmUse.Begin(State);
        return new(use.IsHeld ? Munmap.Run(State, range) : Errno.ESRCH);
    }

    public SystemResult Protect(AddressRange range, Protections protection)
    {
        using var use = MmUse.Begin(State);
        return new(use.IsHeld ? Mprotect.Run(State, range, protection) : Errno.ESRCH);
    }

    public SystemResult<VirtualAddress> Remap(AddressRange range, ulong newLength, RemapOptions options, VirtualAddress target = default)
    {
        using var use = MmUse.Begin(State);
        return use.IsHeld ? Mremap.Run(State, range, newLength, options, target) : new(default, Errno.ESRCH);
    }

    public SystemResult Advise(AddressRange range, Advice advice)
    {
        using var use = MmUse.Begin(State);
        return new(use.IsHeld ? Madvise.Run(State, range, advice) : Errno.ESRCH);
    }

    public SystemResult Lock(AddressRange range)
    {
        using var use = MmUse.Begin(State);
        return new(use.IsHeld ? Mlock.Run(State, range, MlockMode.Populate) : Errno.ESRCH);
    }

    public SystemResult LockOnFault(AddressRange range)
    {
        using var use = MmUse.Begin(State);
        return new(use.IsHeld ? Mlock.Run(State, range, MlockMode.OnFault) : Errno.ESRCH);
    }

    public SystemResult Unlock(AddressRange range)
    {
        using var use = MmUse.Begin(State);
        return new(use.IsHeld ? Mlock.Run(State, range, MlockMode.Unlock) : Errno.ESRCH);
    }

    public SystemResult<IAddressSpace> Fork()
    {
        using var use = MmUse.Begin(State);
        if (!use.IsHeld)
        {
            return new(null!, Errno.ESRCH);
        }

        MmState? child = Mm.Fork.Run(State);
        return child is null ? new(null!, Errno.ENOMEM) : new(_engine.Adopt(child), Errno.None);
    }

    public SystemResult<IUserfaultfd> OpenUserfaultfd(UserfaultfdOptions options, UserfaultfdDoor door = UserfaultfdDoor.SystemCall)
    {
        const UserfaultfdOptions Known = UserfaultfdOptions.UserModeOnly | UserfaultfdOptions.NonBlocking | UserfaultfdOptions.CloseOnExec;
        if ((options & ~Known) != 0)
        {
            return new(null!, Errno.EINVAL);
        }

        using var use = MmUse.Begin(State);
        return use.IsHeld
            ? new(new UserfaultfdHandle(new UserfaultfdContext(State, options, _engine.InstallRule), KernelCopy.Instance), Errno.None)
            : new(null!, Errno.ESRCH);
    }

    public SystemResult<IMemoryAccess> OpenAccess(AccessMode mode = AccessMode.User)
    {
        using var use = MmUse.Begin(State);
        return use.IsHeld
            ? new(mode == AccessMode.Peek ? new PeekAccess(State) : new MemoryAccess(State, mode), Errno.None)
            : new(null!, Errno.ESRCH);
    }

    public bool TryGetSpan(AddressRange range, out Span<byte> span)
    {
        span = default;
        if (!_isHome || range.Length > int.MaxValue)
        {
            return false;
        }

        using var use = MmUse.Begin(State);
        return use.IsHeld && ResidentSpan.TryGet(State, range, out span);
    }

    public void Dispose()
    {
        if (!_isHome)
        {
            End();
        }
    }

    /// <summary>Ends the process of this address space: whoever waits on its behalf is sent away, the mappings go with the last call that is inside.</summary>
    public void End()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _engine.Forget(this);
            State.Kill();
            State.LeaveUse();
        }
    }
}
