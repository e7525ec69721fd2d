using System;
using System.Collections.Generic;

namespace Faultline.Sync.Scheduling;

/// <summary>Makes the choices of a schedule that has run before.</summary>
/// <param name="path">The schedule, as <see cref="ScheduleFailure.Path"/> prints it.</param>
public sealed class ReplayStrategy(string path) : IScheduleStrategy
{
    private readonly List<byte> _choices = SchedulePath.Parse(path);

    private int _step;

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The path belongs to another program: the thread it names cannot run here.</exception>
    public int Choose(ReadOnlySpan<int> candidates, bool canGoOn)
    {
        if (_step == _choices.Count)
        {
            // The path ends where the failure was; a program that has been mended since goes on from there without preemptions.
            return 0;
        }

        int place = candidates.IndexOf(_choices[_step]);
        if (place < 0)
        {
            throw new InvalidOperationException(
                $"Step {_step} of the path '{path}' runs thread {_choices[_step]}, which cannot run there: the path is of another program.");
        }

        _step++;
        return place;
    }
}
