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

    /// <summary>Whether there is nothing for any of them. What one waits for comes to nobody else: it is on its way as long as there is something.</summary>
    public static bool HaveNothing(ReadOnlySpan<Actor?> actors, ReadOnlySpan<IUserfaultfd?> contexts)
    {
        foreach (Actor? actor in actors)
        {
            // Whoever reads one that was closed is on the way out.
            if (IsOne(actor) && (contexts[actor!.Step.Context] is not { } context || context.GetCounts().Value.Pending > 0 || ContextSums.IsChanging(context)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsOne(Actor? actor) => actor is { IsRunning: true, Step.Verb: StepVerb.ReadMessages };
}
