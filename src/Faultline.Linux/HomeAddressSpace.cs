using System;

namespace Faultline.Linux;

/// <summary>The address space of this process.</summary>
internal sealed unsafe class HomeAddressSpace : LinuxAddressSpace
{
    private readonly HomeSystemCaller _caller;

    internal HomeAddressSpace()
        : this(new HomeSystemCaller())
    {
    }

    private HomeAddressSpace(HomeSystemCaller caller)
        : base(caller, new UserfaultfdOwner(caller)) => _caller = caller;

    /// <summary>This process is not copied: the copy would hold one thread of a runtime that needs all of its own.</summary>
    public override SystemResult<IAddressSpace> Fork() => new(null!, Errno.EOPNOTSUPP);

    /// <summary>An accessor by kernel-mode copies. User-mode access would end the process at the first bad address.</summary>
    public override SystemResult<IMemoryAccess> OpenAccess(AccessMode mode = AccessMode.User) =>
        mode == AccessMode.Kernel ? new(new HomeKernelAccess(_caller.ProcessId), Errno.None) : new(null!, Errno.EOPNOTSUPP);

    public override bool TryGetSpan(AddressRange range, out Span<byte> span)
    {
        if (range.Length > int.MaxValue)
        {
            span = default;
            return false;
        }

        span = new Span<byte>((void*)range.Start.Value, (int)range.Length);
        return true;
    }

    /// <summary>Does nothing: the address space lives as long as the process.</summary>
    public override void Dispose()
    {
    }

    /// <summary>Gives up what the view itself holds open.</summary>
    internal void Close() => ((LinuxInspector)Inspector).Dispose();
}
