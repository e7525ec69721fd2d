using System;
using Faultline.Linux.Children;

namespace Faultline.Linux;

/// <summary>The address space of this process.</summary>
internal sealed unsafe class HomeAddressSpace : LinuxAddressSpace
{
    private readonly HomeSystemCaller _caller;

    private readonly ChildFamily _children;

    internal HomeAddressSpace(ChildFamily children)
        : this(children, new HomeSystemCaller())
    {
    }

    private HomeAddressSpace(ChildFamily children, HomeSystemCaller caller)
        : base(caller, new UserfaultfdOwner(caller), new LinuxInspector(caller.ProcessId))
    {
        _caller = caller;
        _children = children;
        Owner.BeforeForkEvents = children.Prepare;
    }

    /// <summary>
    /// Copies the memory of this process. No managed code runs in the copy: the runtime in it is dead, only the memory is there.
    /// </summary>
    public override SystemResult<IAddressSpace> Fork() => _children.ForkHome(Owner);

    /// <summary>An accessor by kernel-mode copies. User-mode access would end the process at the first bad address.</summary>
    public override SystemResult<IMemoryAccess> OpenAccess(AccessMode mode = AccessMode.User) => mode switch
    {
        AccessMode.Kernel => new(new HomeKernelAccess(_caller.ProcessId), Errno.None),
        AccessMode.Peek => new(new PeekAccess(((LinuxInspector)Inspector).Peek), Errno.None),
        _ => new(null!, Errno.EOPNOTSUPP),
    };

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
