using System;
using System.Threading;

namespace Faultline.Linux;

/// <summary>
/// The threads that are inside a blocking read of one descriptor. Closing a descriptor does not end a read(2) that is blocked on it, so
/// <see cref="Cancel"/> interrupts those threads until the last one is out.
/// </summary>
/// <remarks>
/// Entering and leaving are part of every fault's round trip, so each is one atomic step and no lock. A thread takes a slot and looks at the flag
/// afterwards; <see cref="Cancel"/> sets the flag and looks at the slots afterwards; so at least one of them sees the other.
/// </remarks>
internal sealed class BlockedReaders
{
    private const int Slots = 8;

    /// <summary>Zero, or the thread that holds the slot; negative while that thread is being signalled, and may not leave.</summary>
    private readonly int[] _threadIds = new int[Slots];

    /// <summary>Only for the wait between two rounds of <see cref="Cancel"/>.</summary>
    private readonly object _pause = new();

    /// <summary>Where readers go when all slots are taken.</summary>
    private BlockedReaders? _more;

    private volatile bool _cancelled;

    /// <summary>Whether <see cref="Cancel"/> was called. A reader that was interrupted asks.</summary>
    internal bool IsCancelled => _cancelled;

    /// <summary>Announces a reader; false when cancelled.</summary>
    internal bool TryEnter(int threadId)
    {
        if (_cancelled)
        {
            return false;
        }

        Take(threadId);
        if (!_cancelled)
        {
            return true;
        }

        Leave(threadId);
        return false;
    }

    /// <summary>Takes the reader out again.</summary>
    internal void Leave(int threadId)
    {
        for (BlockedReaders? readers = this; readers is not null; readers = readers._more)
        {
            int[] slots = readers._threadIds;
            for (int i = 0; i < slots.Length; i++)
            {
                int holder = Volatile.Read(ref slots[i]);
                if (holder == threadId || holder == -threadId)
                {
                    Free(ref slots[i], threadId);
                    return;
                }
            }
        }
    }

    /// <summary>
    /// Lets no reader in any more, and waits until all are out. A signal that arrives just before the system call is lost on it, hence
    /// the repetition.
    /// </summary>
    internal void Cancel()
    {
        _cancelled = true;
        Interlocked.MemoryBarrier();
        while (SignalAll())
        {
            lock (_pause)
            {
                Monitor.Wait(_pause, millisecondsTimeout: 1);
            }
        }
    }

    /// <summary>How many of the readers the kernel has put to sleep in a call on the descriptor, rather than being on their way into it or out of it.</summary>
    internal int CountAsleep(int descriptor)
    {
        int asleep = 0;
        for (BlockedReaders? readers = this; readers is not null; readers = readers._more)
        {
            foreach (ref int slot in readers._threadIds.AsSpan())
            {
                int threadId = Math.Abs(Volatile.Read(ref slot));
                asleep += threadId != 0 && BlockedThread.IsInCallOn(threadId, descriptor) ? 1 : 0;
            }
        }

        return asleep;
    }

    private static void Free(ref int slot, int threadId)
    {
        SpinWait wait = default;
        while (Interlocked.CompareExchange(ref slot, 0, threadId) != threadId)
        {
            wait.SpinOnce();
        }
    }

    private void Take(int threadId)
    {
        BlockedReaders readers = this;
        while (true)
        {
            int[] slots = readers._threadIds;
            for (int i = 0; i < slots.Length; i++)
            {
                if (Interlocked.CompareExchange(ref slots[i], threadId, 0) == 0)
                {
                    return;
                }
            }

            readers = readers._more ?? Interlocked.CompareExchange(ref readers._more, new BlockedReaders(), null) ?? readers._more!;
        }
    }

    /// <summary>Signals every reader that is in; false if none is.</summary>
    private bool SignalAll()
    {
        bool any = false;
        for (BlockedReaders? readers = this; readers is not null; readers = readers._more)
        {
            int[] slots = readers._threadIds;
            for (int i = 0; i < slots.Length; i++)
            {
                int threadId = Volatile.Read(ref slots[i]);
                if (threadId == 0)
                {
                    continue;
                }

                any = true;
                if (threadId > 0 && Interlocked.CompareExchange(ref slots[i], -threadId, threadId) == threadId)
                {
                    // The thread cannot leave now, so the signal meets the read, or nothing.
                    InterruptSignal.Send(threadId);
                    Volatile.Write(ref slots[i], threadId);
                }
            }
        }

        return any;
    }
}
