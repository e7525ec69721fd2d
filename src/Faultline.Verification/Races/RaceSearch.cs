using System;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races;

/// <summary>
/// The search for a failing schedule within a time: all of them if they are few enough, else all with no preemption, with one, and so on, and in any
/// case some at random.
/// </summary>
/// <param name="Schedules">How many schedules ran.</param>
/// <param name="Sampled">How many of these were chosen at random.</param>
/// <param name="IsComplete">Whether every interleaving was covered.</param>
/// <param name="CompletePreemptions">If not: every interleaving with so many preemptions was; -1 for none.</param>
/// <param name="Failure">The failure with the fewest preemptions that was found; null if there was none.</param>
internal sealed record RaceSearch(long Schedules, long Sampled, bool IsComplete, int CompletePreemptions, ScheduleFailure? Failure)
{
    /// <summary>The shares of the time for the whole search, and for the searches with few preemptions if it was too long.</summary>
    private const double WholeShare = 0.55;

    private const double BoundedShare = 0.35;

    private const int MostPreemptions = 4;

    /// <summary>As many random schedules are enough beside a complete search.</summary>
    private const int SamplesBeside = 200;

    /// <summary>Searches.</summary>
    /// <param name="make">Makes the program.</param>
    /// <param name="bounds">The bounds of one schedule.</param>
    /// <param name="milliseconds">About how long; looking for fewer preemptions comes on top.</param>
    /// <param name="seed">The seed of what is chosen at random.</param>
    public static RaceSearch Run(Func<ScheduledProgram> make, ExplorationBounds bounds, double milliseconds, int seed)
    {
        long began = TimeProvider.System.GetTimestamp();
        ExplorationResult whole = Exploration.Reduce(make, bounds with { MaxMilliseconds = (long)(milliseconds * WholeShare) });
        long schedules = whole.Schedules;
        ScheduleFailure? failure = whole.Failure;
        int preemptions = -1;
        double boundedEnd = milliseconds * (WholeShare + BoundedShare);
        bool goesOn = !whole.IsComplete && failure is null;
        while (goesOn && preemptions < MostPreemptions && Elapsed(began) < boundedEnd)
        {
            ExplorationResult bounded = Exploration.Reduce(
                make, bounds with { MaxPreemptions = preemptions + 1, MaxMilliseconds = (long)(boundedEnd - Elapsed(began)) });
            schedules += bounded.Schedules;
            failure = bounded.Failure;
            goesOn = bounded.IsComplete;
            preemptions += bounded.IsComplete ? 1 : 0;
        }

        long sampled = 0;
        if (failure is null)
        {
            // These pass every point, and do not trust what the reduction takes to be independent. At least one, however short the time.
            double left = whole.IsComplete ? milliseconds * (1 - WholeShare - BoundedShare) : milliseconds - Elapsed(began);
            int count = whole.IsComplete ? (int)Math.Min(schedules, SamplesBeside) : int.MaxValue;
            ExplorationResult random = Exploration.SamplePriorities(
                make, seed, count, bounds: bounds with { MaxMilliseconds = (long)Math.Max(1, left) });
            sampled = random.Schedules;
            failure = random.Failure;
        }

        failure = failure is null ? null : Exploration.Shrink(make, failure, bounds);
        return new RaceSearch(schedules + sampled, sampled, whole.IsComplete, preemptions, failure);
    }

    private static double Elapsed(long began) => TimeProvider.System.GetElapsedTime(began).TotalMilliseconds;
}
