using System;

namespace Faultline.Verification.Kernel;

/// <summary>
/// Calls that bring in a range. One that sleeps in the middle looks at the mappings again when it goes on; what it then brings of mappings that have changed
/// meanwhile is left out here. So is MADV_REMOVE, which in the kernel does not look again.
/// </summary>
internal static class Populations
{
    /// <summary>Whether a step would change mappings under such a call.</summary>
    public static bool Delay(in Step step, ReadOnlySpan<Actor?> actors)
    {
        if (step.Verb > StepVerb.Unlock && step.Verb is not (StepVerb.Register or StepVerb.Unregister))
        {
            return false;
        }

        foreach (Actor? actor in actors)
        {
            if (actor is { IsRunning: true, Step.Verb: StepVerb.Lock or StepVerb.LockOnFault or StepVerb.Advise } && Is(actor.Step))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Is(in Step step) =>
        step.Verb is StepVerb.Lock or StepVerb.LockOnFault || (Advice)step.Mode is Advice.PopulateRead or Advice.PopulateWrite or Advice.Remove;
}
