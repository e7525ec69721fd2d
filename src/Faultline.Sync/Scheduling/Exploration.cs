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
    /// <summary>Runs every schedule within the bounds.</summary>
    /// <param name="program">Makes the program; called once for each schedule.</param>
    /// <param name="bounds">The bounds; null for the default ones.</param>
    /// <returns>What was found.</returns>
    public static ExplorationResult Exhaust(Func<ScheduledProgram> program, ExplorationBounds? bounds = null)
    {
        ArgumentNullException.ThrowIfNull(program);
        bounds ??= new ExplorationBounds();
        ExhaustiveStrategy strategy = new(bounds.MaxPreemptions);
        long schedules = 0;
        bool more = true;
        while (more && schedules < bounds.MaxSchedules)
        {
            schedules++;
            if (ControlledSchedule.Run(program(), strategy, bounds) is { } failure)
            {
                return new ExplorationResult(schedules, IsComplete: false, failure);
            }

            more = strategy.Advance();
        }

        return new ExplorationResult(schedules, IsComplete: !more, Failure: null);
    }

    /// <summary>Runs schedules chosen at random, one for each seed from <paramref name="seed"/> on.</summary>
    /// <param name="program">Makes the program; called once for each schedule.</param>
    /// <param name="seed">The first seed.</param>
    /// <param name="count">How many schedules.</param>
    /// <param name="bounds">The bounds; null for the default ones.</param>
    /// <returns>What was found; never complete.</returns>
    public static ExplorationResult Sample(Func<ScheduledProgram> program, int seed, int count, ExplorationBounds? bounds = null)
    {
        ArgumentNullException.ThrowIfNull(program);
        bounds ??= new ExplorationBounds();
        for (int run = 0; run < count; run++)
        {
            if (ControlledSchedule.Run(program(), new SeededStrategy(unchecked(seed + run)), bounds) is { } failure)
            {
                return new ExplorationResult(run + 1, IsComplete: false, failure);
            }
        }

        return new ExplorationResult(count, IsComplete: false, Failure: null);
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
        return ControlledSchedule.Run(program(), new ReplayStrategy(path), bounds ?? new ExplorationBounds());
    }
}
