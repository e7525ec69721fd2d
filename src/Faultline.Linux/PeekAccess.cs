using System;

namespace Faultline.Linux;

/// <summary>
/// Reads by <c>/proc/pid/mem</c>. The kernel's copy there holds on to the mmap lock (access_remote_vm), so a fault of it may not sleep, and handle_userfault
/// refuses what would: the answer is EIO, and no message is queued.
/// </summary>
internal sealed class PeekAccess(PeekAccess.Reader read) : IMemoryAccess
{
    /// <summary>Reads from an address on.</summary>
    /// <returns>How many bytes could be read.</returns>
    internal delegate int Reader(VirtualAddress start, Span<byte> target);

    public AccessMode Mode => AccessMode.Peek;

    public uint ThreadId => (uint)KernelThread.CurrentId;

    /// <summary>None are counted: they are those of the kernel's copy.</summary>
    public FaultCounts FaultCounts => default;

    public AccessResult Read(VirtualAddress source, Span<byte> target)
    {
        int done = read(source, target);
        return new(done == target.Length ? AccessFault.None : AccessFault.BadAddress, default, (ulong)done);
    }

    public AccessResult Write(VirtualAddress target, ReadOnlySpan<byte> source) => new(AccessFault.BadAddress, default, 0);

    public AccessResult Load(VirtualAddress address, out ulong value)
    {
        if (!address.IsAligned(sizeof(ulong)))
        {
            throw new ArgumentException($"Load and Store need an address that is a multiple of eight; {address} is not.", nameof(address));
        }

        Span<byte> word = stackalloc byte[sizeof(ulong)];
        AccessResult result = Read(address, word);
        value = result.IsOk ? BitConverter.ToUInt64(word) : 0;
        return result;
    }

    public AccessResult Store(VirtualAddress address, ulong value) => new(AccessFault.BadAddress, default, 0);

    public AccessResult CompareExchange(VirtualAddress address, ulong value, ulong comparand, out ulong observed) =>
        throw new InvalidOperationException("CompareExchange is an instruction of the program: open the accessor with AccessMode.User.");

    public void Interrupt()
    {
        // It never waits.
    }

    public void Dispose()
    {
        // The file belongs to the address space.
    }
}
