using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Bench;

/// <summary>
/// Measures rows in turns, so that what disturbs the machine disturbs all of them alike: after warm-up rounds that do not count, every
/// second turn goes through the rows backwards.
/// </summary>
internal sealed class Interleaving
{
    private const int WarmUps = 3;

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

        for (int turn = -WarmUps; turn < _rounds; turn++)
        {
            _progress(turn < 0 ? $"{what}: warming up" : $"{what}: round {turn + 1} of {_rounds}");
            for (int place = 0; place < rows.Count; place++)
            {
                int row = turn % 2 == 0 ? place : rows.Count - 1 - place;
                RoundResult result = await rows[row].RunAsync(cancellation);
                if (turn >= 0)
                {
                    results[row].Add(result);
                }
            }
        }

        return [.. rows.Select((row, index) => Summarise(row, results[index]))];
    }

    private static Measured Summarise(Row row, List<RoundResult> results)
    {
        double faults = results.Sum(result => (double)result.Faults);
        double allocated = results.Sum(result => (double)result.AllocatedBytes);
        return new Measured(
            Timing.Of([.. results.Select(result => result.ElapsedNs / (double)row.Pages)]),
            faults / results.Count,
            faults == 0 ? 0 : Math.Round(allocated / faults, 3));
    }
}
