namespace Faultline.Paging;

/// <summary>One fault on its way through the stages. Never changes; a retry is a new value.</summary>
internal readonly struct PageFault
{
    /// <summary>Whose fault.</summary>
    public required PagerClient Client { get; init; }

    /// <summary>The address of the message.</summary>
    public required VirtualAddress Address { get; init; }

    public required PageFaultKind Kind { get; init; }

    /// <summary>When its message was read (<see cref="PagerCore.Now"/>).</summary>
    public required long ReadAt { get; init; }

    /// <summary>The number of the batch its message came with; see <see cref="PagerCore.NextBatch"/>.</summary>
    public required long Batch { get; init; }

    /// <summary>Whether the access was a write.</summary>
    public bool IsWrite { get; init; }

    public FaultGoal Goal { get; init; }

    /// <summary>How often it was put aside or sent round again.</summary>
    public int Attempts { get; init; }

    public PageFault For(FaultGoal goal) => With(goal, Attempts);

    public PageFault Again() => With(Goal == FaultGoal.Poison ? Goal : FaultGoal.Resolve, Attempts + 1);

    private PageFault With(FaultGoal goal, int attempts) =>
        new() { Client = Client, Address = Address, Kind = Kind, ReadAt = ReadAt, Batch = Batch, IsWrite = IsWrite, Goal = goal, Attempts = attempts };
}
