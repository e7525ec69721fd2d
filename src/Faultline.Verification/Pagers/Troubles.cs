namespace Faultline.Verification.Pagers;

/// <summary>
/// Faults on demand, for each userfaultfd that a <see cref="PagerBed"/> opens. Signals and ends of processes are calls of the program itself.
/// </summary>
/// <remarks>They break nothing that the kernel promises: a call that is not done has changed nothing, and a wake that is late does come.</remarks>
public sealed record Troubles
{
    /// <summary>So many fills and protections of each userfaultfd answer EAGAIN before one is let through, as while an event is pending.</summary>
    public int AgainAnswers { get; init; }

    /// <summary>Whether a fill wakes nobody at once: the wake is sent by a thread of its own, whenever that runs.</summary>
    public bool SlowWakes { get; init; }

    /// <summary>What no engine may do, for a canary: pages that are made errors wake nobody, and no other wake is sent.</summary>
    internal bool ErrorsWakeNobody { get; init; }
}
