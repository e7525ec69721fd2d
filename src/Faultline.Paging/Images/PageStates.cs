using System;
using System.Diagnostics;
using System.Threading;

namespace Faultline.Paging;

/// <summary>
/// The states of an image's pages. Its methods are the only transitions; the owner's lock guards them. Reading a state without the lock is
/// allowed as a guess that the engine's answer will confirm or refute.
/// </summary>
internal sealed class PageStates(int count)
{
    /// <summary>One state for each page, a byte, so that reading one without the lock never sees half of it. Written under the owner's
    /// lock.</summary>
    private readonly PageState[] _states = new PageState[count];

    /// <summary>How many pages are in each state; the numbers always add up to the number of pages.</summary>
    private readonly long[] _totals = [count, 0, 0, 0, 0, 0, 0];

    public int Count => _states.Length;

    public PageState this[int page] => _states[page];

    public long Total(PageState state) => Volatile.Read(ref _totals[(int)state]);

    /// <summary>Whether a load may claim the page.</summary>
    public bool IsClaimable(int page) => _states[page] is PageState.Absent or PageState.Failed;

    /// <summary>Absent or Failed to Loading.</summary>
    public void Claim(int page)
    {
        Debug.Assert(IsClaimable(page), "Only an absent or failed page can be claimed.");
        Set(page, PageState.Loading);
    }

    /// <summary>Loading to Cached.</summary>
    public void EndLoadCached(int page) => Move(page, PageState.Loading, PageState.Cached);

    /// <summary>Loading to Zero.</summary>
    public void EndLoadZero(int page) => Move(page, PageState.Loading, PageState.Zero);

    /// <summary>Loading to Failed; or to Absent: the claim is given back, nobody waited, or the pages went into memory of the client's own.</summary>
    public void EndLoads(int first, int end, bool areFailed)
    {
        for (int page = first; page < end; page++)
        {
            Move(page, PageState.Loading, areFailed ? PageState.Failed : PageState.Absent);
        }
    }

    /// <summary>Failed to Absent, near pages that have come: the store works again, so those that failed need not be asked for one by one any
    /// more.</summary>
    public void ForgiveAround(int first, int end, int distance)
    {
        if (Total(PageState.Failed) == 0)
        {
            return;
        }

        for (int page = Math.Max(0, first - distance); page < Math.Min(Count, end + distance); page++)
        {
            if (_states[page] == PageState.Failed)
            {
                Set(page, PageState.Absent);
            }
        }
    }

    /// <summary>Zero, Absent or Failed to Cached: a shared mapping got a page of zeroes for the hole. Other states stay.</summary>
    public void Materialise(int page)
    {
        if (_states[page] is PageState.Zero or PageState.Absent or PageState.Failed)
        {
            Set(page, PageState.Cached);
        }
    }

    /// <summary>Zero to Absent. Other states stay.</summary>
    public void ForgetZero(int page)
    {
        if (_states[page] == PageState.Zero)
        {
            Set(page, PageState.Absent);
        }
    }

    /// <summary>Cached to Evicting.</summary>
    public void BeginEvict(int page) => Move(page, PageState.Cached, PageState.Evicting);

    /// <summary>Evicting to Absent.</summary>
    public void EndEvict(int page) => Move(page, PageState.Evicting, PageState.Absent);

    /// <summary>Evicting to Cached: it could not be taken out.</summary>
    public void UndoEvict(int page) => Move(page, PageState.Evicting, PageState.Cached);

    /// <summary>Absent or Failed to Held.</summary>
    public void Hold(int page)
    {
        Debug.Assert(IsClaimable(page), "Only an absent or failed page can be held.");
        Set(page, PageState.Held);
    }

    /// <summary>Held to Absent.</summary>
    public void EndHold(int page) => Move(page, PageState.Held, PageState.Absent);

    /// <summary>Cached to Absent: the engine found a hole, punched by someone else. Other states stay.</summary>
    public void LoseToHole(int page)
    {
        if (_states[page] == PageState.Cached)
        {
            Set(page, PageState.Absent);
        }
    }

    [Conditional("DEBUG")]
    public void AssertInvariants()
    {
        long sum = 0;
        foreach (long total in _totals)
        {
            Debug.Assert(total >= 0, "No state is held by fewer than no pages.");
            sum += total;
        }

        Debug.Assert(sum == _states.Length, "Every page has one state.");
    }

    private void Move(int page, PageState from, PageState to)
    {
        Debug.Assert(_states[page] == from, "The page is not in the state this transition begins in.");
        Set(page, to);
    }

    private void Set(int page, PageState to)
    {
        _totals[(int)_states[page]]--;
        _totals[(int)to]++;
        _states[page] = to;
    }
}
