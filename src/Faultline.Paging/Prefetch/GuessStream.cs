using System;

namespace Faultline.Paging;

/// <summary>One run of touches in order: forward, backward, or with a stride. Guarded by whoever owns the detector.</summary>
internal sealed class GuessStream
{
    /// <summary>A touch may leave out this many elements of a stride: their pages came with others.</summary>
    private const int LeftOut = 4;

    private readonly int _chunk;

    /// <summary>Where it began.</summary>
    private readonly int _start;

    public GuessStream(int chunkPages, in PageNeed need, int step, int ahead)
    {
        _chunk = chunkPages;
        _start = need.Page;
        Step = step;
        Ahead = ahead;
        First = need.First;
        End = need.End;
        Last = need.Page;
        Frontier = step > 0 ? (IsStride ? need.Page : need.End) : (IsStride ? need.Page : need.First);
    }

    /// <summary>Pages from one touch to the next; 1 and -1 are forward and backward without gaps.</summary>
    public int Step { get; }

    public bool IsStride => Math.Abs(Step) != 1;

    /// <summary>What the touches have reached last: for a stride the last element, else everything in a row.</summary>
    public int First { get; private set; }

    public int End { get; private set; }

    public int Last { get; private set; }

    /// <summary>How far guesses reach: the last page guessed of a stride; else the end of it, in the stream's direction.</summary>
    public int Frontier { get; set; }

    /// <summary>How many loads guesses may be ahead.</summary>
    public int Ahead { get; private set; }

    /// <summary>Guesses that were right.</summary>
    public int Hits { get; private set; }

    /// <summary>When it was last used, in touches.</summary>
    public long UsedAt { get; set; }

    /// <summary>Whether a touch is of pages this stream has just been at.</summary>
    public bool Repeats(in PageNeed need) => need.Page >= First && need.Page < End;

    /// <summary>Takes in more pages that came with the same touch.</summary>
    public void Widen(in PageNeed need)
    {
        First = Math.Min(First, need.First);
        End = Math.Max(End, need.End);
    }

    /// <summary>Whether a touch is the next one of this stream.</summary>
    public bool IsContinuedBy(in PageNeed need)
    {
        if (!IsStride)
        {
            return Step > 0
                ? need.Page >= End && need.Page < End + _chunk
                : need.Page < First && need.Page >= First - _chunk;
        }

        int elements = (need.Page - Last) / Step;
        return elements is >= 1 and <= LeftOut && need.Page - Last == elements * Step;
    }

    /// <summary>Takes a touch as the next one, and learns from how it was found.</summary>
    public void Advance(in PageNeed need, int mostAhead)
    {
        bool wasGuessed = Step > 0
            ? need.Page < Frontier + (IsStride ? 1 : 0)
            : need.Page > Frontier - (IsStride ? 1 : 0);
        if (need.Outcome == TouchOutcome.Guessed)
        {
            Hits++;

            // Never farther ahead than the stream is long: most of what is guessed is used, wherever it ends.
            int length = Math.Abs(need.Page - _start) / (IsStride ? Math.Abs(Step) : _chunk);
            Ahead = Math.Clamp(Ahead * 2, Math.Min(Ahead, mostAhead), Math.Min(mostAhead, Math.Max(Ahead, length)));
        }
        else if (need.Outcome == TouchOutcome.Loaded && wasGuessed)
        {
            // The guess had no slot yet, or no room, or has been evicted: it is too much.
            Ahead = Math.Max(1, Ahead - ((Ahead + 3) / 4));
        }

        Last = need.Page;
        if (IsStride)
        {
            First = need.First;
            End = need.End;
            Frontier = Step > 0 ? Math.Max(Frontier, need.Page) : Math.Min(Frontier, need.Page);
        }
        else if (Step > 0)
        {
            First = need.First;
            End = Math.Max(End, need.End);
            Frontier = Math.Max(Frontier, End);
        }
        else
        {
            End = need.End;
            First = Math.Min(First, need.First);
            Frontier = Math.Min(Frontier, First);
        }
    }

    /// <summary>Makes the guesses that are due.</summary>
    /// <param name="sink">Takes them.</param>
    /// <param name="pages">The pages of the image.</param>
    /// <param name="largest">The most pages of one guess.</param>
    public void Guess(IGuessSink sink, int pages, int largest)
    {
        if (IsStride)
        {
            GuessStride(sink, pages);
        }
        else if (Step > 0)
        {
            GuessForward(sink, pages, (int)Math.Min(largest, (long)Ahead * _chunk));
        }
        else
        {
            GuessBackward(sink, (int)Math.Min(largest, (long)Ahead * _chunk));
        }
    }

    /// <summary>Large reads are worth waiting for: none is smaller than half of what it could be, but for the last one of an image.</summary>
    private void GuessForward(IGuessSink sink, int pages, int size)
    {
        int target = (int)Math.Min(pages, End + ((long)Ahead * _chunk));
        while (Frontier < target && (target - Frontier >= size / 2 || target == pages))
        {
            int end = Math.Min(target, (Frontier + size) / _chunk * _chunk);
            if (!sink.TryGuess(Frontier, end))
            {
                return;
            }

            Frontier = end;
        }
    }

    private void GuessBackward(IGuessSink sink, int size)
    {
        int target = (int)Math.Max(0, First - ((long)Ahead * _chunk));
        while (Frontier > target && (Frontier - target >= size / 2 || target == 0))
        {
            int first = Math.Max(target, (Frontier - size + _chunk - 1) / _chunk * _chunk);
            if (!sink.TryGuess(first, Frontier))
            {
                return;
            }

            Frontier = first;
        }
    }

    private void GuessStride(IGuessSink sink, int pages)
    {
        while (true)
        {
            long next = (long)Frontier + Step;
            if (next < 0 || next >= pages || (next - Last) / Step > Ahead)
            {
                return;
            }

            int first = (int)next / _chunk * _chunk;
            if (!sink.TryGuess(first, Math.Min(pages, first + _chunk)))
            {
                return;
            }

            Frontier = (int)next;
        }
    }
}
