using System;

namespace Faultline.Sync.Scheduling;

/// <summary>A schedule under which a program fails.</summary>
/// <param name="Kind">What went wrong.</param>
/// <param name="Message">The same in a sentence: for a deadlock, who waits for what and who holds it.</param>
/// <param name="Path">The schedule; <see cref="ReplayStrategy"/> runs it again.</param>
/// <param name="Exception">What was thrown, if it was that.</param>
public sealed record ScheduleFailure(ScheduleFailureKind Kind, string Message, string Path, Exception? Exception)
{
    /// <summary>How often the schedule left a thread that could have gone on.</summary>
    public int Preemptions { get; init; }

    /// <summary>One line that says what happened and how to see it again.</summary>
    /// <returns>The line.</returns>
    public override string ToString() => $"{Kind}: {Message} Replay: \"{Path}\"";
}
