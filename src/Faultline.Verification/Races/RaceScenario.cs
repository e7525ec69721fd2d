namespace Faultline.Verification.Races;

/// <summary>Threads that meet in the engine or in the pager, and what has to hold however they meet.</summary>
internal abstract class RaceScenario
{
    /// <summary>Its name: that of the race.</summary>
    public string Name => GetType().Name;

    /// <summary>Who meets whom, and what has to hold.</summary>
    public abstract string Story { get; }

    /// <summary>The memory of the engine.</summary>
    public virtual ulong MemoryBytes => RaceBed.SmallMemoryBytes;

    /// <summary>The pages of its hugetlb pool.</summary>
    public virtual int HugePages => 0;

    /// <summary>Makes everything, and adds the threads. Called for each schedule.</summary>
    public abstract void Arrange(RaceBed bed);
}
