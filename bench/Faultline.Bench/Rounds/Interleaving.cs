using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Bench;

/// <summary>
/// Measures rows in turns, so that what disturbs the machine disturbs all of them alike: after a warm-up that does not count, every
/// second turn goes through the rows backwards.
/// </summary>
internal sealed class Interleaving
{
    private const int FewestWarmUps = 3;

    /// <summary>Longer than the runtime takes to compile again, with optimisation, what is called often.</summary>
    private static readonly TimeSpan ShortestWarmUp = TimeSpan.FromSeconds(0.7);

    private readonly int _rounds;
    private readonly Action<string> _progress;

    /// <summary>Measures with a number of rounds.</summary>
    public Interleaving(int rounds, Action<string> progress)
    {
        _rounds = rounds;
        _progress = progress;
    }

    /// <summary>Measures rows; the answers are in their order.</summary>
    public async Task<IReadOnlyList<Measured>> RunAsync(string what, IReadOnlyList<Row> rows, CancellationToken cancellation)
    {
        var results = new List<RoundResult>[rows.Count];
        for (int row = 0; row < rows.Count; row++)
        {
            results[row] = new List<RoundResult>(_rounds);
        }

        _progress($"{what}: warming up");
        long begin = Stopwatch.GetTimestamp();
        for (int turn = 0; turn < FewestWarmUps || Stopwatch.GetElapsedTime(begin) < ShortestWarmUp; turn++)
        {
            await TurnAsync(rows, turn, static (_, _) => { }, cancellation);
        }

        for (int turn = 0; turn < _rounds; turn++)
        {
            _progress($"{what}: round {turn + 1} of {_rounds}");
            await TurnAsync(rows, turn, (row, result) => results[row].Add(result), cancellation);
        }

        return [.. rows.Select((row, index) => Summarise(row, results[index]))];
    }

    private static async Task TurnAsync(IReadOnlyList<Row> rows, int turn, Action<int, RoundResult> take, CancellationToken cancellation)
    {
        for (int place = 0; place < rows.Count; place++)
        {
            int row = turn % 2 == 0 ? place : rows.Count - 1 - place;
            take(row, await rows[row].RunAsync(cancellation));
        }
    }

    private static Measured Summarise(Row row, List<RoundResult> results)
    {
        double faults = results.Sum(result => (double)result.Faults);

        // The median round: what a fault allocates shows in every round, what the runtime allocates on its own account in one or two.
        double[] allocated = [.. results.Select(result => result.Faults == 0 ? 0 : result.AllocatedBytes / (double)result.Faults).Order()];
        return new Measured(
            Timing.Of([.. results.Select(result => result.ElapsedNs / (double)row.Pages)]),
            faults / results.Count,
            Math.Round(allocated[allocated.Length / 2], 3));
    }
}
