namespace Faultline.Verification.Kernel;

/// <summary>
/// Moves one page again and again to an empty place while an actor touches it, each time after its accessed bit was cleared, so that the entry
/// changes under the call. Whoever wins, MOVE must say what it did: the outcome is <c>ok</c>, or the first answer that is none of the allowed ones.
/// </summary>
internal static class RaceMove
{
    private const int Rounds = 48;

    public static StepOutcome Run(EngineSide side, in Step step)
    {
        if (side.Contexts[step.Context] is not { } context || side.Spaces[0] is not { } space)
        {
            return default;
        }

        return new MoveRace(side, context, space, in step).Run(Rounds);
    }
}
