using System;

namespace Faultline;

/// <summary>
/// Access to memory that may fault: the calling thread waits as the faulting thread would, in a state in which the garbage collector
/// does not wait for it. Nothing is allocated.
/// </summary>
/// <remarks>
/// One access at a time for each accessor; accesses of different accessors run concurrently. Linux: in <see cref="IMemoryEngine.Home"/>
/// by process_vm_readv(2) and process_vm_writev(2) on the own process (<see cref="AccessMode.Kernel"/>), elsewhere by real
/// instructions on a thread of that address space.
/// </remarks>
public interface IMemoryAccess : IDisposable
{
    /// <summary>The mode the accessor was made for.</summary>
    AccessMode Mode { get; }

    /// <summary>The thread id that <see cref="UserfaultfdFeatures.ThreadId"/> messages carry for this accessor.</summary>
    uint ThreadId { get; }

    /// <summary>
    /// The page faults taken by this accessor so far (getrusage(2)). An accessor may begin to count when it is first asked: take
    /// differences.
    /// </summary>
    FaultCounts FaultCounts { get; }

    /// <summary>Copies bytes out of the address space.</summary>
    AccessResult Read(VirtualAddress source, Span<byte> target);

    /// <summary>Copies bytes into the address space.</summary>
    AccessResult Write(VirtualAddress target, ReadOnlySpan<byte> source);

    /// <summary>Loads eight bytes in one piece; the address must be a multiple of eight.</summary>
    /// <exception cref="ArgumentException">It is not.</exception>
    AccessResult Load(VirtualAddress address, out ulong value);

    /// <summary>Stores eight bytes in one piece; the address must be a multiple of eight.</summary>
    /// <exception cref="ArgumentException">It is not.</exception>
    AccessResult Store(VirtualAddress address, ulong value);

    /// <summary>
    /// Stores <paramref name="value"/> if eight bytes equal <paramref name="comparand"/>, in one step; always takes a write fault. Only in
    /// <see cref="AccessMode.User"/>.
    /// </summary>
    /// <exception cref="ArgumentException">The address is not a multiple of eight.</exception>
    /// <exception cref="InvalidOperationException">The accessor's mode is another one.</exception>
    AccessResult CompareExchange(VirtualAddress address, ulong value, ulong comparand, out ulong observed);

    /// <summary>Sends the accessing thread a signal that it handles without effect: a waiting user access goes round once more.</summary>
    void Interrupt();
}
