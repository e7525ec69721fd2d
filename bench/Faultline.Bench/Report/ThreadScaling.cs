using System;

namespace Faultline.Bench;

/// <summary>Faults of one thread, and of two threads in areas of their own. Times are for each page that each thread touches.</summary>
/// <param name="OneThread">One thread.</param>
/// <param name="TwoThreads">Two threads on two CPUs.</param>
public sealed record ThreadScaling(Timing OneThread, Timing TwoThreads)
{
    /// <summary>The faults a second of two threads divided by those of one.</summary>
    public double Ratio => Math.Round(2 * OneThread.MedianNs / TwoThreads.MedianNs, 3);
}
