namespace Faultline.Sync.Scheduling;

/// <summary>What a thread does when it runs on: the kind, and to what.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Target">The lock, the sleeper's place, or the owner of the word; null if an address says it all.</param>
/// <param name="Address">The word's address or place in its owner; zero if there is only one.</param>
internal readonly record struct Step(StepKind Kind, object? Target = null, nint Address = 0)
{
    /// <summary>How many kinds there are.</summary>
    public const int Kinds = (int)StepKind.Add + 1;

    /// <summary>Whether the order of two kinds on one target matters, and both may be about to happen at once.</summary>
    public static bool Races(StepKind one, StepKind other) => Order(one, other) || Order(other, one);

    /// <summary>Whether the order of two kinds on one target matters at all: one may also be what the other waits for.</summary>
    public static bool Depends(StepKind one, StepKind other) => Races(one, other) || Enables(one, other) || Enables(other, one);

    /// <summary>Whether the order of this step and another thread's matters.</summary>
    public bool DependsOn(in Step other)
    {
        if (Kind == StepKind.Local || other.Kind == StepKind.Local)
        {
            return false;
        }

        if (Kind == StepKind.Any || other.Kind == StepKind.Any)
        {
            return true;
        }

        return ReferenceEquals(Target, other.Target) && Address == other.Address && Depends(Kind, other.Kind);
    }

    private static bool Order(StepKind one, StepKind other) => one switch
    {
        StepKind.Acquire => other is StepKind.Acquire or StepKind.AcquireShared or StepKind.TryAcquire,
        StepKind.AcquireShared => other is StepKind.TryAcquire,
        StepKind.TryAcquire => other is StepKind.TryAcquire or StepKind.Release or StepKind.ReleaseShared,
        StepKind.Write => other is StepKind.Write or StepKind.Read or StepKind.Add,
        StepKind.Add => other is StepKind.Read,
        _ => false,
    };

    private static bool Enables(StepKind one, StepKind other) => one switch
    {
        StepKind.Release => other is StepKind.Acquire or StepKind.AcquireShared,
        StepKind.ReleaseShared => other is StepKind.Acquire,
        _ => false,
    };
}
