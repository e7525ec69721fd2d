using System;
using System.Collections.Generic;
using System.Threading;

namespace Faultline.Linux.Children;

/// <summary>The child address spaces of one engine.</summary>
internal sealed class ChildFamily : IDisposable
{
    private readonly ChildNursery _nursery = new();
    private readonly Lock _gate = new();

    // One fork of this process at a time, so that a FORK message finds the owner-to-be.
    private readonly Lock _forkingHome = new();

    // Those not disposed. Guarded by _gate.
    private readonly HashSet<ChildAddressSpace> _spaces = [];

    // Guarded by _gate.
    private bool _disposed;

    /// <summary>See <see cref="ChildNursery.Prepare"/>.</summary>
    internal Errno Prepare() => _nursery.Prepare();

    /// <summary>Makes an empty address space.</summary>
    internal SystemResult<IAddressSpace> Create() => Enrol(_nursery.Create());

    /// <summary>Copies this process' address space.</summary>
    internal SystemResult<IAddressSpace> ForkHome(UserfaultfdOwner home)
    {
        lock (_forkingHome)
        {
            return Fork(home, _nursery.ForkHome);
        }
    }

    /// <summary>Copies an address space, with the owner-to-be of the contexts in FORK messages announced meanwhile. One at a time for each parent.</summary>
    internal SystemResult<IAddressSpace> Fork(UserfaultfdOwner parent, Func<SystemResult<ChildProcess>> fork)
    {
        var owner = UserfaultfdOwner.Forking();
        parent.ForkUnderWay = owner;
        try
        {
            SystemResult<IAddressSpace> child = Enrol(fork());
            owner.Settle(child.IsOk ? ((ChildAddressSpace)child.Value).Caller : null);
            return child;
        }
        finally
        {
            parent.ForkUnderWay = null;
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
        lock (_gate)
        {
            _disposed = true;
            spaces = [.. _spaces];
        }

        foreach (ChildAddressSpace space in spaces)
        {
            space.Dispose();
        }

        _nursery.Dispose();
    }

    private SystemResult<IAddressSpace> Enrol(SystemResult<ChildProcess> process)
    {
        if (!process.IsOk)
        {
            return new(null!, process.Errno);
        }

        ChildAddressSpace space = new(this, process.Value);
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
