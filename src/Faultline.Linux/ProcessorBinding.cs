using System;
using System.Numerics;

namespace Faultline.Linux;

/// <summary>
/// On which processors a thread may run (sched_setaffinity(2)). Threads inherit it. Two threads that take turns are faster on one processor: neither has
/// to be woken up from afar.
/// </summary>
internal static unsafe class ProcessorBinding
{
    // Processors that a mask here has room for.
    private const int Maximum = 1024;
    private const int Bytes = Maximum / 8;

    /// <summary>The processors that the first thread of this process may run on, in order; empty if the kernel does not say.</summary>
    internal static int[] Allowed()
    {
        Span<ulong> mask = stackalloc ulong[Bytes / sizeof(ulong)];
        mask.Clear();
        fixed (ulong* bits = mask)
        {
            if (LibC.syscall(SystemCallNumbers.SchedGetaffinity, Environment.ProcessId, Bytes, (nint)bits, 0, 0, 0) < 0)
            {
                return [];
            }
        }

        int count = 0;
        foreach (ulong word in mask)
        {
            count += BitOperations.PopCount(word);
        }

        int[] allowed = new int[count];
        for (int processor = 0, next = 0; next < count; processor++)
        {
            if ((mask[processor / 64] >> (processor % 64) & 1) != 0)
            {
                allowed[next++] = processor;
            }
        }

        return allowed;
    }

    /// <summary>Binds a thread, of this process or of a child of it; 0 is the calling one.</summary>
    /// <returns>Whether the kernel did it.</returns>
    internal static bool Bind(int threadId, ReadOnlySpan<int> processors)
    {
        Span<ulong> mask = stackalloc ulong[Bytes / sizeof(ulong)];
        mask.Clear();
        foreach (int processor in processors)
        {
            mask[processor / 64] |= 1UL << (processor % 64);
        }

        fixed (ulong* bits = mask)
        {
            return LibC.syscall(SystemCallNumbers.SchedSetaffinity, threadId, Bytes, (nint)bits, 0, 0, 0) == 0;
        }
    }
}
