using System;
using System.Collections.Generic;
using System.Globalization;

namespace Faultline.Verification.Kernel;

/// <summary>The step that reads what a userfaultfd tells.</summary>
internal static class MessageVerb
{
    public static StepOutcome Run(EngineSide side, in Step step)
    {
        if (side.Contexts[step.Context] is not { } context)
        {
            return default;
        }

        Span<UserfaultfdMessage> messages = new UserfaultfdMessage[16];
        SystemResult<int> read = context.Read(messages);
        if (!read.IsOk)
        {
            return StepOutcome.Of(read.Errno);
        }

        var texts = new List<string>(read.Value);
        foreach (UserfaultfdMessage message in messages[..read.Value])
        {
            texts.Add(Describe(side, in message));
        }

        // The order among faults is that of the queue, which depends on who was first; the order of faults and events is fixed.
        texts.Sort(StringComparer.Ordinal);
        return StepOutcome.Of(Errno.None, read.Value, 0, string.Join("; ", texts));
    }

    private static string Describe(EngineSide side, in UserfaultfdMessage message)
    {
        switch (message.Event)
        {
            case UserfaultfdEvent.PageFault:
                return $"fault {message.Flags} {Arena.Name(message.Address)}{DescribeThread(side, message.ThreadId)}";
            case UserfaultfdEvent.Remap:
                return $"remap {Arena.Name(message.Address)} to {Arena.Name(message.Range.Start)} 0x{message.Range.Length:x}";
            case UserfaultfdEvent.Fork:
                return "fork" + Adopt(side, message.Forked!);
            default:
                return $"{message.Event} {Arena.Name(message.Range.Start)} 0x{message.Range.Length:x}";
        }
    }

    private static string Adopt(EngineSide side, IUserfaultfd forked)
    {
        int slot = Array.IndexOf(side.Contexts, null);
        if (slot < 0)
        {
            forked.Dispose();
            return " (no place for its context)";
        }

        side.AddContext(slot, forked, ForkVerbs.ChildSpace);
        return string.Create(CultureInfo.InvariantCulture, $" context={slot} {forked.Features}");
    }

    // Numbers of threads differ between engines; who it was does not.
    private static string DescribeThread(EngineSide side, uint thread)
    {
        if (thread == 0)
        {
            return string.Empty;
        }

        int actor = side.ActorOf(thread);
        return actor < 0 ? " by a call" : string.Create(CultureInfo.InvariantCulture, $" by actor {actor}");
    }
}
