using System;

namespace Faultline.Linux;

/// <summary>
/// The address space of a process that is not of our making: it can be looked at, read and written by those who may (ptrace(2) access mode), and not changed.
/// Calls that would change it answer EOPNOTSUPP.
/// </summary>
internal sealed class ForeignAddressSpace : LinuxAddressSpace
{
    private readonly int _processId;

    internal ForeignAddressSpace(int processId)
        : base(new NoCaller(processId), new UserfaultfdOwner(caller: null), new LinuxInspector(processId))
    {
        _processId = processId;
    }

    public override SystemResult<IAddressSpace> Fork() => new(null!, Errno.EOPNOTSUPP);

    public override SystemResult<IMemoryAccess> OpenAccess(AccessMode mode = AccessMode.User) => mode switch
    {
        AccessMode.Kernel => new(new HomeKernelAccess(_processId), Errno.None),
        AccessMode.Peek => new(new PeekAccess(((LinuxInspector)Inspector).Peek), Errno.None),
        _ => new(null!, Errno.EOPNOTSUPP),
    };

    public override bool TryGetSpan(AddressRange range, out Span<byte> span)
    {
        span = default;
        return false;
    }

    /// <summary>Closes what was opened to look at it; the process goes on.</summary>
    public override void Dispose() => ((LinuxInspector)Inspector).Dispose();

    /// <summary>There is no thread of ours in that process to make a call.</summary>
    private sealed class NoCaller(int processId) : SystemCaller
    {
        internal override int ProcessId => processId;

        internal override long Invoke(long number, nint a0, nint a1, nint a2, nint a3, nint a4, nint a5) => -(long)Errno.EOPNOTSUPP;

        internal override long InvokeIoctl(int descriptor, uint request, Span<byte> argument) => -(long)Errno.EOPNOTSUPP;
    }
}
