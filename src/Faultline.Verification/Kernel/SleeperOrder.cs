using System;

namespace Faultline.Verification.Kernel;

/// <summary>
/// What of a program depends on which of several sleepers that went on at once came first. The kernel is free there: what they read is not compared, and where
/// what they leave behind depends on it too, the program ends.
/// </summary>
internal sealed class SleeperOrder(PairRun run)
{
    // Actors that read more than a page and slept while another was asleep that writes there: which of the two a call that woke both let go first shows
    // only when the reader is done.
    private int _reading;

    /// <summary>Notes who sleeps, before a step may wake some of them.</summary>
    public void Note(int running)
    {
        _reading &= running;
        for (int actor = 0; running >> actor != 0; actor++)
        {
            if ((running >> actor & 1) != 0 && run.Linux.StepOf(actor) is { Verb: StepVerb.KernelRead or StepVerb.CopyFrom } reader
                && MeetsWriter(in reader, running & ~(1 << actor)))
            {
                _reading |= 1 << actor;
            }
        }
    }

    /// <summary>Whether what an actor read cannot be told.</summary>
    public bool IsReadUnknown(int actor) => (_reading >> actor & 1) != 0;

    /// <summary>A COPY that was asleep may come before or after whoever waits for its target, or be refused.</summary>
    public bool DoesAny(int actors, StepVerb verb)
    {
        for (int actor = 0; actors >> actor != 0; actor++)
        {
            if ((actors >> actor & 1) != 0 && run.Linux.StepOf(actor).Verb == verb)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether a COPY went on together with others: it finds its target filled by one of them, or fills it and comes to a part of its source that it
    /// has to wait for.
    /// </summary>
    public bool IsOvertaken(int running, int finished) => int.PopCount(finished) > 1 && DoesAny(running, StepVerb.CopyFrom);

    /// <summary>
    /// Whether those of whom the engines disagree that they sleep may do either: of several that were woken over shared pages the second finds the page
    /// that the first has brought into the cache, and sleeps again or not.
    /// </summary>
    public bool MaySleepAgain(in Step step, int running, int disagreed, bool isClosing)
    {
        int woken = isClosing ? running : Woken(in step, running);
        return int.PopCount(woken) > 1 && (disagreed & ~woken) == 0 && IsAnyShared(disagreed);
    }

    /// <summary>Whether what comes after a step cannot be compared.</summary>
    /// <param name="step">The step.</param>
    /// <param name="running">Who slept before it.</param>
    /// <param name="finished">Who of them is done.</param>
    /// <param name="isClosing">Whether everything is being closed, one registration after the other.</param>
    /// <remarks>
    /// Private anonymous pages come out the same whoever is first. A COPY that is woken while one registration after the other is taken away may find its
    /// target still registered, or not any more. One that sleeps again, over the next page of its source, has copied the page before it already: before or
    /// after those who are done. Who was woken and sleeps again has changed the entry all the same, if it was first.
    /// </remarks>
    public bool Decides(in Step step, int running, int finished, bool isClosing)
    {
        int readers = Readers(running);
        bool hasRead = (finished & readers) != 0;
        running &= ~readers;
        finished &= ~readers;
        bool isShared = IsAnyShared(finished);
        if ((isShared && (isClosing || int.PopCount(finished) > 1)) || (isClosing && run.IsWide && finished != 0))
        {
            return true;
        }

        if (finished != 0 && DoesAny(running & ~finished, StepVerb.CopyFrom))
        {
            return true;
        }

        int woken = isClosing ? running : Woken(in step, running);
        return (hasRead && (isClosing || int.PopCount(woken) > 1))
            || (finished != 0 && int.PopCount(woken) > 1 && IsAnyShared(woken))
            || DoesAny(woken & _reading, StepVerb.CopyFrom)
            || MayHaveFilled(running & ~finished, finished);
    }

    // Of a store and a load that were woken over the same empty page, which is to be protected, the one who is first fills it, in his way, private memory too;
    // the store sleeps again over the protection.
    private bool MayHaveFilled(int running, int finished)
    {
        for (int pair = 0; pair < Arena.Actors * Arena.Actors; pair++)
        {
            int writer = pair / Arena.Actors;
            int other = pair % Arena.Actors;
            if ((running >> writer & 1) != 0 && (finished >> other & 1) != 0
                && run.Linux.StepOf(writer) is { Verb: StepVerb.Store or StepVerb.KernelWrite } store
                && run.Linux.StepOf(other) is { Verb: >= StepVerb.Load and <= StepVerb.KernelWrite } done
                && store.Space == done.Space && Meet(store.Page, store.Pages, SourceOf(done)) && !run.EntryAt(store.Space, store.Page).IsPresent)
            {
                return true;
            }
        }

        return false;
    }

    // A reader takes the first message that comes, or two if they come at once.
    private int Readers(int actors)
    {
        int readers = 0;
        for (int actor = 0; actors >> actor != 0; actor++)
        {
            readers |= (actors >> actor & 1) != 0 && run.Linux.StepOf(actor).Verb == StepVerb.ReadMessages ? 1 << actor : 0;
        }

        return readers;
    }

    private bool IsAnyShared(int actors)
    {
        for (int actor = 0; actors >> actor != 0; actor++)
        {
            if ((actors >> actor & 1) != 0)
            {
                Step step = run.Linux.StepOf(actor);
                bool isAccess = step.Verb is StepVerb.Load or StepVerb.Store or StepVerb.KernelWrite;
                if (!isAccess || run.KindOf(step.Page) != MapKind.Anonymous)
                {
                    return true;
                }
            }
        }

        return false;
    }

    // Who sleeps where the step may wake somebody: in its range, or anywhere if it has none that says so.
    private int Woken(in Step step, int running)
    {
        if (step.Verb == StepVerb.Interrupt)
        {
            return running & (1 << step.Actor);
        }

        if (step.Verb is not (StepVerb.Unregister or StepVerb.Wake or (>= StepVerb.Copy and <= StepVerb.WriteProtect)))
        {
            return running;
        }

        int woken = 0;
        for (int actor = 0; running >> actor != 0; actor++)
        {
            if ((running >> actor & 1) != 0 && Meet(step.Page, step.Pages, SourceOf(run.Linux.StepOf(actor))))
            {
                woken |= 1 << actor;
            }
        }

        return woken;
    }

    // The same page by another name is met too: of memory that is not private and anonymous nobody asks what it shares.
    private bool MeetsWriter(in Step reader, int others)
    {
        (int Page, int Pages) source = SourceOf(reader);
        for (int actor = 0; others >> actor != 0; actor++)
        {
            if ((others >> actor & 1) != 0 && run.Linux.StepOf(actor) is { Verb: StepVerb.Store or StepVerb.KernelWrite or StepVerb.CopyFrom } writer
                && (Meet(writer.Page, writer.Pages, source)
                    || (run.KindOf(writer.Page) != MapKind.Anonymous && run.KindOf(source.Page) != MapKind.Anonymous)))
            {
                return true;
            }
        }

        return false;
    }

    // Where a step may sleep: a COPY in its source, everything else in its range.
    private static (int Page, int Pages) SourceOf(in Step step)
    {
        if (step.Verb == StepVerb.CopyFrom)
        {
            return (step.Other, step.Pages);
        }

        int first = Arena.PageOf(step.Range.Start);
        return (first, Math.Max(Arena.PageOf(step.Range.End - 1) - first, 0) + 1);
    }

    // A page more at either side, for addresses and lengths that are no multiples of pages.
    private static bool Meet(int page, int pages, (int Page, int Pages) other) => page - 1 < other.Page + other.Pages && other.Page <= page + pages;
}
