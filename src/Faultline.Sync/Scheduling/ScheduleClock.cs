using System;

namespace Faultline.Sync.Scheduling;

/// <summary>
/// The clock of the calling thread's schedule: it moves only when nobody can run, to the end of the shortest sleep. Zero for ordinary threads.
/// </summary>
public sealed class ScheduleClock : TimeProvider
{
    /// <summary>The only one that is needed.</summary>
    public static ScheduleClock Instance { get; } = new();

    /// <inheritdoc/>
    public override long TimestampFrequency => 1000;

    /// <inheritdoc/>
    public override long GetTimestamp() => Seam.Current?.NowMs ?? 0;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddMilliseconds(GetTimestamp());
}
