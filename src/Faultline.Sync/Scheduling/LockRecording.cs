using System;
using System.Collections.Generic;

namespace Faultline.Sync.Scheduling;

/// <summary>Tells which locks a piece of code takes, in order. Nobody else may use what it uses meanwhile: the locks are noted, not taken.</summary>
public sealed class LockRecording : ISchedule
{
    private readonly List<LockUse> _taken = [];
    private readonly HashSet<object> _held = new(ReferenceEqualityComparer.Instance);

    private LockRecording()
    {
    }

    /// <inheritdoc/>
    long ISchedule.NowMs => 0;

    /// <summary>Runs something alone.</summary>
    /// <param name="action">What; it must not sleep, nor start threads.</param>
    /// <returns>The locks it took, first one first.</returns>
    /// <exception cref="InvalidOperationException">It slept, or the caller belongs to a schedule; or the process runs without the switch
    /// <see cref="Seam.SwitchName"/>.</exception>
    public static IReadOnlyList<LockUse> Of(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        if (!Seam.IsOn || Seam.IsScheduled)
        {
            throw new InvalidOperationException("Locks are recorded of an ordinary thread, in a process started with the switch of the seam.");
        }

        LockRecording recording = new();
        Seam.Current = recording;
        try
        {
            action();
        }
        finally
        {
            Seam.Current = null;
        }

        return recording._taken;
    }

    /// <inheritdoc/>
    void ISchedule.Point(in Step step)
    {
        // There is nobody else.
    }

    /// <inheritdoc/>
    void ISchedule.Yield()
    {
        // There is nobody else.
    }

    /// <inheritdoc/>
    void ISchedule.Await(object target, Func<bool> condition)
    {
        if (!condition())
        {
            throw Alone();
        }
    }

    /// <inheritdoc/>
    void ISchedule.AwaitQuiet()
    {
        // It is quiet.
    }

    /// <inheritdoc/>
    bool ISchedule.BeginCalm() => true;

    /// <inheritdoc/>
    void ISchedule.EndCalm()
    {
        // There is nobody else.
    }

    /// <inheritdoc/>
    void ISchedule.CheckOrder(LockRank rank, LockPlace place)
    {
        // That is a schedule's to check.
    }

    /// <inheritdoc/>
    void ISchedule.Acquire(object latch, LockRank rank, HoldMode mode)
    {
        _held.Add(latch);
        _taken.Add(new LockUse(rank, mode == HoldMode.Shared));
    }

    /// <inheritdoc/>
    bool ISchedule.TryAcquire(object latch, LockRank rank)
    {
        if (!_held.Add(latch))
        {
            return false;
        }

        _taken.Add(new LockUse(rank, IsShared: false));
        return true;
    }

    /// <inheritdoc/>
    void ISchedule.Release(object latch, LockRank rank, HoldMode mode) => _held.Remove(latch);

    /// <inheritdoc/>
    bool ISchedule.Park(Parker parker, int timeoutMs) => parker.HasPermit ? true : throw Alone();

    /// <inheritdoc/>
    object ISchedule.Start(string name, Action body) => throw Alone();

    /// <inheritdoc/>
    void ISchedule.Join(object thread) => throw Alone();

    private static InvalidOperationException Alone() => new("What was recorded waits for another thread, and there is none.");
}
