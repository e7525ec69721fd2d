namespace Faultline.Verification.Kernel;

/// <summary>fork, and the end of what it made.</summary>
internal static class ForkVerbs
{
    /// <summary>The address space that a fork of the first one becomes.</summary>
    public const int ChildSpace = 1;

    public static StepOutcome Run(EngineSide side, in Step step)
    {
        if (step.Verb == StepVerb.Exit)
        {
            return side.Spaces[ChildSpace] is null ? default
                : side.TryEndSpace(ChildSpace) ? StepOutcome.Of(Errno.None)
                : new(OutcomeKind.Busy);
        }

        if (side.Spaces[ChildSpace] is not null)
        {
            return default;
        }

        SystemResult<IAddressSpace> child = side.Spaces[0]!.Fork();
        side.Spaces[ChildSpace] = child.Value;
        return StepOutcome.Of(child.Errno);
    }
}
