using System;
using Xunit;

namespace Faultline.Conformance;

/// <summary>An access to memory under way, on a thread of the address space.</summary>
public sealed class PendingAccess : PendingWork<AccessResult>
{
    private readonly StrongValue _observed;

    private PendingAccess(string what, IMemoryAccess accessor, StrongValue observed, Func<AccessResult> work)
        : base(what, work)
    {
        Accessor = accessor;
        _observed = observed;
    }

    /// <summary>The accessor that makes it.</summary>
    public IMemoryAccess Accessor { get; }

    /// <summary>Starts loading eight bytes.</summary>
    public static PendingAccess Load(IMemoryAccess accessor, VirtualAddress address)
    {
        StrongValue observed = new();
        return new($"load of {address}", accessor, observed, () => accessor.Load(address, out observed._word));
    }

    /// <summary>Starts storing eight bytes.</summary>
    public static PendingAccess Store(IMemoryAccess accessor, VirtualAddress address, ulong value) =>
        new($"store to {address}", accessor, new(), () => accessor.Store(address, value));

    /// <summary>Waits for the access, which must succeed.</summary>
    /// <returns>The value loaded; zero for a store.</returns>
    public ulong AwaitValue()
    {
        Assert.Equal(AccessFault.None, Await().Fault);
        return _observed._word;
    }

    /// <summary>Waits for the access, which must fail.</summary>
    public AccessResult AwaitFault(AccessFault fault)
    {
        AccessResult result = Await();
        Assert.Equal(fault, result.Fault);
        return result;
    }

    /// <summary>Where the loaded value arrives from the other thread.</summary>
    private sealed class StrongValue
    {
        internal ulong _word;
    }
}
