using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>The guesses made out of what one client touches of one region.</summary>
internal sealed class RegionGuesses : IGuessSink
{
    private readonly LoadTable _table;
    private readonly RankedLock _lock = new(LockRank.PagerStreams);

    /// <summary>Guard: the lock.</summary>
    private readonly StreamDetector _detector;

    private RegionGuesses(LoadTable table)
    {
        _table = table;
        _detector = new StreamDetector(
            table.Core.Options.Prefetch, table.Count, table.ChunkPages, table.WindowPages, table.BudgetPages / 4, table.PageBytes);
    }

    /// <summary>Null where nothing is guessed: copies for one client have no cache that a guess could be put into.</summary>
    public static RegionGuesses? For(LoadTable table) => table.FillsCache && table.Guesses.IsOn ? new RegionGuesses(table) : null;

    /// <summary>Takes note of a touch, and queues what it makes likely. What was wanted is on its way already.</summary>
    public void Observe(in PageNeed need)
    {
        if (need.Outcome == TouchOutcome.Guessed)
        {
            _table.Guesses.NoteHit();
        }

        if (_table.Guesses.IsWorthwhile)
        {
            using RankedLock.Scope held = _lock.Enter();
            _detector.Observe(in need, this);
        }
    }

    /// <inheritdoc/>
    public bool TryGuess(int first, int end) => _table.Core.Prefetcher.TryEnqueue(new Guess(_table, first, end));
}
