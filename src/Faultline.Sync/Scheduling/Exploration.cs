using System;

namespace Faultline.Sync.Scheduling;

/// <summary>
/// Runs a small concurrent program under many schedules, one thread at a time, until one fails or none is left.
/// </summary>
/// <remarks>
/// What it cannot see: orders of plain reads and writes between two points (see <see cref="Seam.Point"/>); anything weaker than sequential
/// consistency, since one thread runs at a time; a time-out that comes while another thread could still run (time stands still
/// until nobody can); a reader held back by a writer that waits. Needs the switch <see cref="Seam.SwitchName"/>.
/// </remarks>
public static class Exploration
{
    /// <summary>Schedules tried for each number of preemptions by <see cref="Shrink"/>.</summary>
    private const long ShrinkSchedules = 3_000;

    /// <summary>Runs every schedule within the bounds.</summary>
    /// <param name="program">Makes the program; called once for each schedule.</param>
    /// <param name="bounds">The bounds; null for the default ones.</param>
    /// <returns>What was found.</returns>
    public static ExplorationResult Exhaust(Func<ScheduledProgram> program, ExplorationBounds? bounds = null)
    {
        bounds ??= new ExplorationBounds();
        ExhaustiveStrategy strategy = new(bounds.MaxPreemptions);
        return Search(program, strategy, strategy.Advance, bounds);
    }

    /// <summary>
    /// As <see cref="Exhaust"/>, but of schedules that differ only in the order of steps that touch different things it runs one. What is shared must
    /// be shared under locks, or be announced by <see cref="Seam.Touch(object, TouchKind, int)"/>.
    /// </summary>
    /// <param name="program">Makes the program; called once for each schedule.</param>
    /// <param name="bounds">The bounds; null for the default ones.</param>
    /// <returns>What was found.</returns>
    public static ExplorationResult Reduce(Func<ScheduledProgram> program, ExplorationBounds? bounds = null)
    {
        bounds ??= new ExplorationBounds();
        ReducedStrategy strategy = new(bounds.MaxPreemptions);
        return Search(program, strategy, strategy.Advance, bounds);
    }

    /// <summary>Runs schedules chosen at random, one for each seed from <paramref name="seed"/> on.</summary>
    /// <param name="program">Makes the program; called once for each schedule.</param>
    /// <param name="seed">The first seed.</param>
    /// <param name="count">How many schedules.</param>
    /// <param name="bounds">The bounds; null for the default ones.</param>
    /// <returns>What was found; never complete.</returns>
    public static ExplorationResult Sample(Func<ScheduledProgram> program, int seed, int count, ExplorationBounds? bounds = null) =>
        SampleBy(program, run => new SeededStrategy(unchecked(seed + run)), count, bounds);

    /// <summary>
    /// Runs schedules that keep to random priorities but for a few changes at random places: a bug that needs so many preemptions is found with a
    /// probability that does not fall with the number of interleavings.
    /// </summary>
    /// <param name="program">Makes the program; called once for each schedule.</param>
    /// <param name="seed">The first seed.</param>
    /// <param name="count">How many schedules.</param>
    /// <param name="changes">How many changes of priority.</param>
    /// <param name="bounds">The bounds; null for the default ones.</param>
    /// <returns>What was found; never complete.</returns>
    public static ExplorationResult SamplePriorities(
        Func<ScheduledProgram> program, int seed, int count, int changes = 3, ExplorationBounds? bounds = null)
    {
        int length = 100;
        PriorityStrategy? last = null;
        return SampleBy(program, Next, count, bounds);

        IScheduleStrategy Next(int run)
        {
            length = Math.Max(length, last?.Choices ?? 0);
            return last = new PriorityStrategy(unchecked(seed + run), changes, length);
        }
    }

    /// <summary>Runs one schedule again.</summary>
    /// <param name="program">Makes the program.</param>
    /// <param name="path">The schedule, as <see cref="ScheduleFailure.Path"/> prints it.</param>
    /// <param name="bounds">The bounds; null for the default ones.</param>
    /// <returns>How it fails; null if it does not, or no longer.</returns>
    public static ScheduleFailure? Replay(Func<ScheduledProgram> program, string path, ExplorationBounds? bounds = null)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(path);
        return ControlledSchedule.Run(program(), new ReplayStrategy(path), bounds ?? new ExplorationBounds()).Failure;
    }

    /// <summary>Looks for the same kind of failure in schedules with fewer preemptions, from none upwards.</summary>
    /// <param name="program">Makes the program.</param>
    /// <param name="failure">The failure.</param>
    /// <param name="bounds">The bounds; null for the default ones.</param>
    /// <returns>The failure with the fewest preemptions that was found.</returns>
    public static ScheduleFailure Shrink(Func<ScheduledProgram> program, ScheduleFailure failure, ExplorationBounds? bounds = null)
    {
        ArgumentNullException.ThrowIfNull(failure);
        bounds ??= new ExplorationBounds();
        for (int preemptions = 0; preemptions < failure.Preemptions; preemptions++)
        {
            ExplorationBounds tight = bounds with { MaxPreemptions = preemptions, MaxSchedules = ShrinkSchedules };
            ExplorationResult result = Reduce(program, tight);
            if (result.Failure is { } smaller && smaller.Kind == failure.Kind)
            {
                return smaller;
            }
        }

        return failure;
    }

    private static ExplorationResult Search(Func<ScheduledProgram> program, object strategy, Func<bool> advance, ExplorationBounds bounds)
    {
        ArgumentNullException.ThrowIfNull(program);
        long began = TimeProvider.System.GetTimestamp();
        long schedules = 0;
        long redundant = 0;
        bool more = true;
        while (more && schedules + redundant < bounds.MaxSchedules && !IsOver(began, bounds))
        {
            ScheduleOutcome outcome = ControlledSchedule.Run(program(), strategy, bounds);
            _ = outcome.IsRedundant ? redundant++ : schedules++;
            if (outcome.Failure is { } failure)
            {
                return new ExplorationResult(schedules, IsComplete: false, failure) { Redundant = redundant };
            }

            more = advance();
        }

        return new ExplorationResult(schedules, IsComplete: !more, Failure: null) { Redundant = redundant };
    }

    private static ExplorationResult SampleBy(
        Func<ScheduledProgram> program, Func<int, IScheduleStrategy> strategy, int count, ExplorationBounds? bounds)
    {
        ArgumentNullException.ThrowIfNull(program);
        bounds ??= new ExplorationBounds();
        long began = TimeProvider.System.GetTimestamp();
        int run = 0;
        while (run < count && !IsOver(began, bounds))
        {
            ScheduleOutcome outcome = ControlledSchedule.Run(program(), strategy(run), bounds);
            run++;
            if (outcome.Failure is { } failure)
            {
                return new ExplorationResult(run, IsComplete: false, failure);
            }
        }

        return new ExplorationResult(run, IsComplete: false, Failure: null);
    }

    private static bool IsOver(long began, ExplorationBounds bounds) =>
        TimeProvider.System.GetElapsedTime(began).TotalMilliseconds > bounds.MaxMilliseconds;
}
