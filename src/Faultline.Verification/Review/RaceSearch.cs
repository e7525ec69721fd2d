using System;
using Faultline.Mm;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Review;

/// <summary>
/// Runs a history of two threads through its schedules: first those without preemption, then those with one, with two. The engine without the defect goes
/// through all there are, but of those that differ only in the order of steps that do not touch the same thing through one.
/// </summary>
internal static class RaceSearch
{
    private const int MostPreemptions = 2;
    private const long LongestSearchMs = 15_000;

    /// <summary>Finds the schedule with the fewest preemptions in which a defect shows, and runs the right engine through all of them.</summary>
    /// <returns>The race, or null if no schedule fails; and what the right engine got wrong.</returns>
    public static (ReviewRace? Race, string? RightFailure, long RightSchedules) Find(
        Func<FillSteps?, ReviewMarks, ScheduledProgram> program, Func<ReviewMarks?, FillSteps> wrong)
    {
        var bounds = new ExplorationBounds { MaxMilliseconds = LongestSearchMs };
        ExplorationResult right = Exploration.Reduce(() => program(null, new ReviewMarks()), bounds);
        string? rightFailure = right.Failure is null && !right.IsComplete
            ? $"The search through the schedules of the engine without a defect was not over after {right.Schedules} schedules."
            : right.Failure?.ToString();
        long schedules = 0;
        for (int preemptions = 0; preemptions <= MostPreemptions; preemptions++)
        {
            ReviewMarks marks = new();
            ScheduledProgram Fresh()
            {
                // The marks of the last schedule are those of the failing one.
                marks = new ReviewMarks();
                return program(wrong(marks), marks);
            }

            ExplorationResult result = Exploration.Exhaust(Fresh, bounds with { MaxPreemptions = preemptions });
            schedules += result.Schedules;
            if (result.Failure is { } failure)
            {
                var race = new ReviewRace(
                    SentenceOf(failure), failure.Path, preemptions, schedules, right.Schedules, right.IsComplete, [.. marks.All]);
                return (race, rightFailure, right.Schedules);
            }
        }

        return (null, rightFailure, right.Schedules);
    }

    private static string SentenceOf(ScheduleFailure failure) => failure.Exception is ReviewDefectSeenException seen
        ? seen.Message
        : failure.Message.Replace("thread 0", "the client", StringComparison.Ordinal).Replace("thread 1", "the handler", StringComparison.Ordinal);
}
