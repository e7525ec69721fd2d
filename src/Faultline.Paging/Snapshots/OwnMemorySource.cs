using System;

namespace Faultline.Paging;

/// <summary>Memory that no pager serves: its pages are the kernel's own business, and reading it waits for nobody.</summary>
internal sealed class OwnMemorySource(IAddressSpace space, AddressRange range) : ISnapshotSource
{
    private readonly IMemoryAccess _keeping = space.OpenAccess(AccessMode.Kernel).OrThrow("accessor", range);

    public KeepResult Keep(int page, AddressRange addresses, Span<byte> copy, out Exception? cause)
    {
        AccessResult result = _keeping.Read(addresses.Start, copy);
        cause = result.IsOk ? null : SnapshotPages.Unreadable(result);
        return result.IsOk ? KeepResult.Copied : KeepResult.Failed;
    }

    public Exception? Read(ulong offset, Span<byte> target, SnapshotOrigin origin)
    {
        using IMemoryAccess reading = space.OpenAccess(AccessMode.Kernel).OrThrow("accessor", range);
        AccessResult result = reading.Read(range.Start + offset, target);
        return result.IsOk ? null : SnapshotPages.Unreadable(result);
    }

    public void Dispose() => _keeping.Dispose();
}
