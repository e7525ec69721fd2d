using System;

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

    /// <summary><see cref="LoadTicks"/> of a fault that nobody has taken up yet.</summary>
    public const long NotTakenUp = 0;

    /// <summary><see cref="LoadTicks"/> of a fault whose time so far has been measured.</summary>
    public const long Measured = -1;

    /// <summary>How long it waited for the load that has just ended, in ticks of the clock; or one of the constants.</summary>
    public long LoadTicks { get; init; }

    /// <summary>How often it was put aside or sent round again.</summary>
    public int Attempts { get; init; }

    public PageFault For(FaultGoal goal) => With(goal, Attempts, Measured);

    /// <summary>What the fault is after a load that began then has ended now.</summary>
    public PageFault AfterLoad(FaultGoal goal, long begun, long now) => With(goal, Attempts, Math.Max(1, now - Math.Max(begun, ReadAt)));

    public PageFault Again() => With(Goal == FaultGoal.Poison ? Goal : FaultGoal.Resolve, Attempts + 1, Measured);

    private PageFault With(FaultGoal goal, int attempts, long loadTicks) => new()
    {
        Client = Client,
        Address = Address,
        Kind = Kind,
        ReadAt = ReadAt,
        Batch = Batch,
        IsWrite = IsWrite,
        Goal = goal,
        Attempts = attempts,
        LoadTicks = loadTicks,
    };
}
