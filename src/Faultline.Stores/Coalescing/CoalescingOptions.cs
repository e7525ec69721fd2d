using System;

namespace Faultline.Stores;

/// <summary>How reads are joined.</summary>
public sealed record CoalescingOptions
{
    /// <summary>The most reads of the store below at once. Reads that come while so many are under way wait, and are joined while they do.</summary>
    public int Requests { get; init; } = 4;

    /// <summary>The most bytes of a joined read.</summary>
    public int LargestBytes { get; init; } = 4 << 20;

    /// <summary>Reads this far apart are neighbours still: to read over a gap costs less than another request.</summary>
    public int GapBytes { get; init; } = 32 << 10;

    internal void Validate()
    {
        if (Requests < 1 || LargestBytes < 4096 || GapBytes < 0 || GapBytes > LargestBytes)
        {
            throw new InvalidOperationException(
                $"Requests is {Requests}, LargestBytes {LargestBytes}, GapBytes {GapBytes}; they must be at least 1, at least 4096, and from 0 to LargestBytes.");
        }
    }
}
