using System;
using Faultline.Linux;
using Faultline.Mm;

namespace Faultline.Verification.Kernel;

/// <summary>What all contexts of a side have or hold together.</summary>
internal static class ContextSums
{
    public static UserfaultfdFeatures Features(ReadOnlySpan<IUserfaultfd?> contexts)
    {
        UserfaultfdFeatures all = 0;
        foreach (IUserfaultfd? context in contexts)
        {
            all |= context?.Features ?? 0;
        }

        return all;
    }

    public static OpenWays Ways(ReadOnlySpan<IUserfaultfd?> contexts)
    {
        OpenWays all = OpenWays.None;
        foreach (IUserfaultfd? context in contexts)
        {
            all |= (context?.Options ?? 0).HasFlag(UserfaultfdOptions.UserModeOnly) ? OpenWays.UserModeOnly : 0;
            all |= IsBlocking(context) ? OpenWays.Blocking : 0;
        }

        return all;
    }

    /// <summary>Whether reading a context waits for a message.</summary>
    public static bool IsBlocking(IUserfaultfd? context) => context is not null && !context.Options.HasFlag(UserfaultfdOptions.NonBlocking);

    /// <summary>
    /// The faults that sleep, read or not. On the managed engine without those that are queued and still have to look at their entry again: they may stay that
    /// way for long where others have the processors.
    /// </summary>
    public static int Waiting(ReadOnlySpan<IUserfaultfd?> contexts)
    {
        int total = 0;
        foreach (IUserfaultfd? context in contexts)
        {
            total += context is UserfaultfdHandle managed ? managed.Context.CountAsleep() : context?.GetCounts().Value.Total ?? 0;
        }

        return total;
    }

    /// <summary>Whether the managed engine has events that nobody has read: whose calls sleep.</summary>
    public static bool HasEvents(ReadOnlySpan<IUserfaultfd?> contexts)
    {
        foreach (IUserfaultfd? context in contexts)
        {
            if (context is UserfaultfdHandle managed && managed.Context.CountEvents() != 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The threads asleep in a read; a program has one for each context at most.</summary>
    public static int SleepingReaders(IUserfaultfd context) =>
        context is UserfaultfdHandle managed ? managed.Context.CountSleepingReaders() : ((LinuxUserfaultfd)context).CountSleepingReaders();

    /// <summary>The faults that nobody has read.</summary>
    public static int Pending(ReadOnlySpan<IUserfaultfd?> contexts)
    {
        int pending = 0;
        foreach (IUserfaultfd? context in contexts)
        {
            pending += context?.GetCounts().Value.Pending ?? 0;
        }

        return pending;
    }
}
