using Faultline.Mm;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races;

/// <summary>A race with something broken in it on purpose: if the search does not find it, the search is worth nothing.</summary>
internal abstract class RaceCanary
{
    public string Name => GetType().Name;

    /// <summary>What is broken.</summary>
    public abstract string Story { get; }

    /// <summary>How it has to show.</summary>
    public abstract ScheduleFailureKind Kind { get; }

    /// <summary>The broken steps of the engine; null if the broken part is the program's.</summary>
    public virtual FillSteps? BrokenSteps() => null;

    public abstract void Arrange(RaceBed bed);
}
