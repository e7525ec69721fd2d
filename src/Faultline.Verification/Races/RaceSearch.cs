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
    /// <summary>The shares of what may be spent for the whole search, and for the searches with few preemptions if it was too long.</summary>
    private const double WholeShare = 0.5;

    private const double BoundedShare = 0.4;

    private const int MostPreemptions = 4;

    /// <summary>As many random schedules are enough beside a complete search.</summary>
    private const int SamplesBeside = 200;

    /// <summary>Searches.</summary>
    /// <param name="make">Makes the program.</param>
    /// <param name="bounds">The bounds of one schedule.</param>
    /// <param name="spend">How much; looking for fewer preemptions comes on top.</param>
    /// <param name="seed">The seed of what is chosen at random.</param>
    public static RaceSearch Run(Func<ScheduledProgram> make, ExplorationBounds bounds, SearchSpend spend, int seed)
    {
        SearchPurse purse = new(spend);
        ExplorationResult whole = Exploration.Reduce(make, purse.Limit(bounds, WholeShare));
        purse.Pay(whole);
        ScheduleFailure? failure = whole.Failure;
        int preemptions = -1;
        bool goesOn = !whole.IsComplete && failure is null;
        while (goesOn && preemptions < MostPreemptions && purse.HasLeft(WholeShare + BoundedShare))
        {
            ExplorationResult bounded = Exploration.Reduce(
                make, purse.Limit(bounds, WholeShare + BoundedShare) with { MaxPreemptions = preemptions + 1 });
            purse.Pay(bounded);
            failure = bounded.Failure;
            goesOn = bounded.IsComplete;
            preemptions += bounded.IsComplete ? 1 : 0;
        }

        long schedules = purse.Schedules;
        long sampled = 0;
        if (failure is null)
        {
            // These pass every point, and do not trust what the reduction takes to be independent. At least one, however short the time.
            double share = whole.IsComplete ? purse.Spent + (1 - WholeShare - BoundedShare) : 1;
            int count = whole.IsComplete ? (int)Math.Min(schedules, SamplesBeside) : int.MaxValue;
            ExplorationBounds limited = purse.Limit(bounds, share);
            ExplorationResult random = Exploration.SamplePriorities(
                make, seed, (int)Math.Clamp(limited.MaxSchedules, 1, count), bounds: limited);
            sampled = random.Schedules;
            failure = random.Failure;
        }

        failure = failure is null ? null : Exploration.Shrink(make, failure, bounds);
        return new RaceSearch(schedules + sampled, sampled, whole.IsComplete, preemptions, failure);
    }
}
