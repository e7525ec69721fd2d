using System;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>
/// Into how many stripes what every fault counts is spread, so that processors do not fight for one cache line (Linux: per-CPU variables). A thread
/// may be moved to another processor at any time: a stripe is changed by atomic operations all the same.
/// </summary>
internal static class ProcessorStripes
{
    /// <summary>The bytes between two stripes: two cache lines, because processors fetch them in pairs.</summary>
    public const int Bytes = 128;

    /// <summary>Beyond this processors share stripes.</summary>
    private const uint Most = 16;

    /// <summary>The stripes; a power of two.</summary>
    public static int Count { get; } = (int)Math.Min(BitOperations.RoundUpToPowerOf2((uint)Environment.ProcessorCount), Most);

    /// <summary>The stripe of the processor the thread runs on; always the same one where a schedule must not depend on it.</summary>
    public static int Current
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Seam.IsOn ? 0 : Thread.GetCurrentProcessorId() & (Count - 1);
    }
}
