using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Threading;

namespace Faultline.Linux.Children;

/// <summary>The child address spaces of one engine.</summary>
internal sealed class ChildFamily : IDisposable
{
    private readonly Lock _gate = new();

    // Taken when it is first needed. Guarded by _gate.
    private ChildNursery? _nursery;

    // One fork of this process at a time, so that a FORK message finds the owner-to-be.
    private readonly Lock _forkingHome = new();

    // Those not disposed. Guarded by _gate.
    private readonly HashSet<ChildAddressSpace> _spaces = [];

    // What a fork of this process waits for, or null. Guarded by _gate.
    private ChildProcess? _launcher;

    // Guarded by _gate.
    private bool _disposed;

    /// <summary>See <see cref="ChildNursery.Prepare"/>.</summary>
    internal Errno Prepare() => TryGetNursery(out ChildNursery? nursery) ? nursery.Prepare() : Errno.ECANCELED;

    /// <summary>Makes an empty address space.</summary>
    internal SystemResult<IAddressSpace> Create()
    {
        if (!TryGetNursery(out ChildNursery? nursery))
        {
            return new(null!, Errno.ECANCELED);
        }

        SystemResult<ChildProcess> process = nursery.Create();
        if (!process.IsOk)
        {
            return new(null!, process.Errno);
        }

        ChildSystemCaller caller = new(process.Value);
        return Enrol(new ChildAddressSpace(this, process.Value, caller, new UserfaultfdOwner(caller)));
    }

    /// <summary>Copies this process' address space.</summary>
    internal SystemResult<IAddressSpace> ForkHome(UserfaultfdOwner home)
    {
        lock (_forkingHome)
        {
            return TryGetNursery(out ChildNursery? nursery) ? Fork(home, () => nursery.ForkHome(SetLauncher)) : new(null!, Errno.ECANCELED);
        }
    }

    /// <summary>Copies an address space, with the owner-to-be of the contexts in FORK messages announced meanwhile. One at a time for each parent.</summary>
    internal SystemResult<IAddressSpace> Fork(UserfaultfdOwner parent, Func<SystemResult<ChildProcess>> fork)
    {
        var owner = UserfaultfdOwner.Forking();
        parent.LatestFork = owner;
        ChildSystemCaller? caller = null;
        try
        {
            SystemResult<ChildProcess> process = fork();
            if (!process.IsOk)
            {
                return new(null!, process.Errno);
            }

            caller = new ChildSystemCaller(process.Value);
            return Enrol(new ChildAddressSpace(this, process.Value, caller, owner));
        }
        finally
        {
            owner.Settle(caller);
        }
    }

    /// <summary>Takes a disposed address space off the list.</summary>
    internal void Forget(ChildAddressSpace space)
    {
        lock (_gate)
        {
            _ = _spaces.Remove(space);
        }
    }

    /// <summary>Ends all.</summary>
    public void Dispose()
    {
        ChildAddressSpace[] spaces;
        ChildNursery? nursery;
        ChildProcess? launcher;
        lock (_gate)
        {
            _disposed = true;
            launcher = _launcher;
            spaces = [.. _spaces];
            (nursery, _nursery) = (_nursery, null);
        }

        launcher?.Dispose();
        foreach (ChildAddressSpace space in spaces)
        {
            space.Dispose();
        }

        nursery?.Release();
    }

    private void SetLauncher(ChildProcess? launcher)
    {
        bool disposed;
        lock (_gate)
        {
            _launcher = launcher;
            disposed = _disposed;
        }

        if (disposed)
        {
            launcher?.Dispose();
        }
    }

    private bool TryGetNursery([NotNullWhen(true)] out ChildNursery? nursery)
    {
        lock (_gate)
        {
            nursery = _disposed ? null : _nursery ??= ChildNursery.Acquire();
            return nursery is not null;
        }
    }

    private SystemResult<IAddressSpace> Enrol(ChildAddressSpace space)
    {
        bool disposed;
        lock (_gate)
        {
            disposed = _disposed;
            if (!disposed)
            {
                _ = _spaces.Add(space);
            }
        }

        if (disposed)
        {
            space.Dispose();
            return new(null!, Errno.ECANCELED);
        }

        return new(space, Errno.None);
    }
}
