using System;

namespace Faultline.Stores;

/// <summary>How large a cache on disk is.</summary>
public sealed record BlockCacheOptions
{
    /// <summary>The most bytes it takes on the disk, however many processes share it.</summary>
    public long BudgetBytes { get; init; } = 10L << 30;

    /// <summary>The most bytes that wait in memory to be written to it; what comes beyond is not kept.</summary>
    public long PendingBytes { get; init; } = 32 << 20;

    /// <summary>The clock by which what was not used longest is found.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    internal void Validate()
    {
        if (BudgetBytes < 1 << 20 || PendingBytes < 1 << 16 || TimeProvider is null)
        {
            throw new InvalidOperationException(
                $"BudgetBytes is {BudgetBytes} and PendingBytes {PendingBytes}; they must be at least 1 MiB and 64 KiB, and TimeProvider must not be null.");
        }
    }
}
