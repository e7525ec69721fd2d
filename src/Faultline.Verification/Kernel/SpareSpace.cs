using System;

namespace Faultline.Verification.Kernel;

/// <summary>An emptied address space of the kernel with its accessors, for the next program: making one takes as long as a dozen steps.</summary>
internal sealed record SpareSpace(IAddressSpace Space, IMemoryAccess?[] Accessors) : IDisposable
{
    public void Dispose()
    {
        Space.Dispose();
        foreach (IMemoryAccess? accessor in Accessors)
        {
            accessor?.Dispose();
        }
    }
}
