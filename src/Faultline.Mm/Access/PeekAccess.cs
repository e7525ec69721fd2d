using System;

namespace Faultline.Mm;

/// <summary>Reads what is there, and asks no userfaultfd for what is not. Nothing can be stored.</summary>
internal sealed class PeekAccess(MmState mm) : IMemoryAccess
{
    private readonly MemoryAccess _reading = new(mm, AccessMode.Peek);

    public AccessMode Mode => AccessMode.Peek;

    public uint ThreadId => _reading.ThreadId;

    public FaultCounts FaultCounts => _reading.FaultCounts;

    public AccessResult Read(VirtualAddress source, Span<byte> target) => _reading.Read(source, target);

    public AccessResult Write(VirtualAddress target, ReadOnlySpan<byte> source) => new(AccessFault.BadAddress, default, 0);

    public AccessResult Load(VirtualAddress address, out ulong value) => _reading.Load(address, out value);

    public AccessResult Store(VirtualAddress address, ulong value) => new(AccessFault.BadAddress, default, 0);

    public AccessResult CompareExchange(VirtualAddress address, ulong value, ulong comparand, out ulong observed) =>
        throw new InvalidOperationException("CompareExchange is an instruction of the program: open the accessor with AccessMode.User.");

    public void Interrupt()
    {
        // It never waits.
    }

    public void Dispose() => _reading.Dispose();
}
