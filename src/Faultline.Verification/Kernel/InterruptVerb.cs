namespace Faultline.Verification.Kernel;

/// <summary>
/// A signal for an actor that sleeps in a load or a store: it goes round, and sleeps again with a new message or is done. Only where every message has been
/// read; else nobody could tell the fault that went round from the one before it.
/// </summary>
internal static class InterruptVerb
{
    public static StepOutcome Run(EngineSide side, in Step step)
    {
        if ((side.Running >> step.Actor & 1) == 0)
        {
            return default;
        }

        Step asleep = side.StepOf(step.Actor);
        if (asleep.Verb is not (StepVerb.Load or StepVerb.Store) || !side.CanInterrupt)
        {
            return new(OutcomeKind.Busy);
        }

        side.Access(step.Actor, asleep.Space, AccessMode.User)!.Interrupt();
        side.WaitForRound(step.Actor);
        return StepOutcome.Of(Errno.None);
    }
}
