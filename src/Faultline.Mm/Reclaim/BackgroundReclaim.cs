using System;
using System.Threading;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// Reclaim by a thread of its own, before memory is so short that an allocation has to (Linux: <c>kswapd</c>, <c>balance_pgdat</c>). It wakes when few
/// pages are left, and sleeps when enough are free or nothing more can be freed.
/// </summary>
internal sealed class BackgroundReclaim : IDisposable
{
    /// <summary>Pages asked for at a time.</summary>
    private const int Batch = 32;

    private readonly Watermarks _marks;
    private readonly Func<long> _chargedPages;
    private readonly Func<int, bool> _reclaim;
    private readonly Parker _parker = new();
    private readonly Thread _thread;

    /// <summary>Held while pages are taken: checks of the whole engine wait for it.</summary>
    private readonly RankedLock _working = new(LockRank.MmReclaim);

    /// <summary>1 from a wake to the moment the thread looks. Guard: atomic.</summary>
    private int _isAwake;

    private int _wakes;
    private volatile bool _isOver;

    /// <summary>Starts the thread.</summary>
    /// <param name="marks">When it wakes, and when it has done enough.</param>
    /// <param name="chargedPages">The pages charged now.</param>
    /// <param name="reclaim">Frees some pages, and tells whether it freed any.</param>
    public BackgroundReclaim(Watermarks marks, Func<long> chargedPages, Func<int, bool> reclaim)
    {
        _marks = marks;
        _chargedPages = chargedPages;
        _reclaim = reclaim;
        _thread = new Thread(Run) { IsBackground = true, Name = "reclaim" };
        _thread.Start();
    }

    /// <summary>How often it was woken.</summary>
    public int Wakes => Volatile.Read(ref _wakes);

    /// <summary>Called after each charge.</summary>
    public void OnCharged(long chargedPages)
    {
        if (chargedPages > _marks.WakesAbove && Volatile.Read(ref _isAwake) == 0 && Interlocked.Exchange(ref _isAwake, 1) == 0)
        {
            _parker.Unpark();
        }
    }

    /// <summary>Keeps it from working while something is looked at as a whole.</summary>
    public RankedLock.Scope Pause() => _working.Enter();

    public void Dispose()
    {
        _isOver = true;
        _parker.Unpark();
        _thread.Join();
        _parker.Dispose();
    }

    private void Run()
    {
        while (!_isOver)
        {
            _ = _parker.Park();
            Volatile.Write(ref _isAwake, 0);
            _wakes++;
            Balance();
        }
    }

    private void Balance()
    {
        bool isFreeing = true;
        while (isFreeing && !_isOver && _chargedPages() > _marks.StopsAt)
        {
            using RankedLock.Scope held = _working.Enter();
            isFreeing = _reclaim(Batch);
        }
    }
}
