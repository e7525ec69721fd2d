using System;
using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>One thread that can wait in a userfault, and the message it sends (Linux: <c>userfaultfd_wait_queue</c>). Used again for each fault.</summary>
internal sealed class FaultWaiter : IDisposable
{
    private static uint _lastThreadId = 1000;

    private readonly Parker _parker = new();

    /// <summary>1 after <see cref="Interrupt"/>, until the waiter goes round once more.</summary>
    private int _isInterrupted;

    /// <summary>The waiter of the calling thread, for faults that no accessor takes: populate, lock, the source of a copy.</summary>
    public static FaultWaiter OfThread => PerThread.Get<FaultWaiter, FaultWaiter>();

    /// <summary>How an accessor holds the mapping it faults in; null for a thread, which faults in several address spaces. Set once.</summary>
    public ReaderSlot? Slot { get; init; }

    /// <summary>The thread id in messages. Never changes.</summary>
    public uint ThreadId { get; } = Interlocked.Increment(ref _lastThreadId);

    /// <summary>The address in the message: what a wake is matched with. Guard, with all below: the context's queue lock.</summary>
    public ulong Address { get; set; }

    public PageFaultFlags Flags { get; set; }

    /// <summary>The context it is queued with; null while it is in no queue.</summary>
    public UserfaultfdContext? Context { get; set; }

    public bool IsRead { get; set; }

    /// <summary>
    /// Whether it has looked at its entry again since it was queued, and will not go on unless it is woken. No guard: for tests that wait for that.
    /// </summary>
    public bool IsAsleep { get; set; }

    public FaultWaiter? Next { get; set; }

    public FaultWaiter? Previous { get; set; }

    /// <summary>Makes a wait end early, once (Linux: a signal).</summary>
    public void Interrupt()
    {
        Seam.Touch(this, TouchKind.Write);
        Volatile.Write(ref _isInterrupted, 1);
        _parker.Unpark();
    }

    public bool TakeInterrupt()
    {
        Seam.Touch(this, TouchKind.Write);
        return Volatile.Read(ref _isInterrupted) != 0 && Interlocked.Exchange(ref _isInterrupted, 0) != 0;
    }

    public void Park() => _parker.Park();

    public void Unpark() => _parker.Unpark();

    public void Dispose() => _parker.Dispose();
}
