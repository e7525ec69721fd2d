using System;

namespace Faultline.Verification.Kernel;

/// <summary>The actors that wait for a message of a blocking userfaultfd.</summary>
internal static class MessageReaders
{
    /// <summary>How many there are.</summary>
    public static int Count(ReadOnlySpan<Actor?> actors)
    {
        int count = 0;
        foreach (Actor? actor in actors)
        {
            count += IsOne(actor) ? 1 : 0;
        }

        return count;
    }

    /// <summary>
    /// Whether each of them sleeps. One for whom there is a message does not, and neither does one who has taken it: that one is on the way out, as is whoever
    /// reads a userfaultfd that was closed.
    /// </summary>
    public static bool AreAsleep(ReadOnlySpan<Actor?> actors, ReadOnlySpan<IUserfaultfd?> contexts)
    {
        foreach (Actor? actor in actors)
        {
            // The messages first: who is seen asleep after that has taken none.
            if (IsOne(actor) && (contexts[actor!.Step.Context] is not { } context || context.GetCounts().Value.Pending > 0
                || ContextSums.SleepingReaders(context) == 0))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsOne(Actor? actor) => actor is { IsRunning: true, Step.Verb: StepVerb.ReadMessages };
}
