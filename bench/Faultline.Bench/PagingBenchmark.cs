using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Bench;

/// <summary>Measures what the pager does beyond single faults: under a budget, with working sets, and for snapshots.</summary>
public static class PagingBenchmark
{
    private const double OnePageTarget = 1.5;
    private const double EvictingTarget = 2.0;
    private const int Pages = 20_000;
    private const ulong BudgetPages = Pages / 8;
    private const ulong FullFileBytes = 1UL << 30;
    private const ulong SmallFileBytes = 256UL << 20;
    private const long SmallAccesses = 1 << 15;

    private static readonly PagerOptions OnePageAtATime = new()
    {
        HandlerThreads = 1,
        LoadBytes = (int)PageSize.Small,
        SequentialWindowBytes = (int)PageSize.Small,
        NeighbourPages = 1,
    };

    /// <summary>Runs everything: a few minutes.</summary>
    /// <param name="engine">The engine of this process.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellation">Stops between two rounds.</param>
    /// <exception cref="BenchmarkException">Something could not be measured.</exception>
    /// <exception cref="MemoryEngineException">The kernel refused a call.</exception>
    public static async Task<PagingReport> RunAsync(IMemoryEngine engine, FaultBenchmarkOptions options, CancellationToken cancellation)
    {
        var missing = new List<MissingRow>();
        using CompiledHandlers? compiled = await CompiledHandlers.TryCompileAsync(missing, cancellation);
        var machine = MachineFacts.Look(compiled?.Compiler);
        (PagingRow onePage, PagingRow evicting) = await OnePageAsync(engine, compiled, machine, options, cancellation);
        ReplayRow replay = await new ReplayRounds(engine).RunAsync(options.Rounds, options.Progress, cancellation);
        PrefetchReport prefetch = new PrefetchRounds(engine).Run(options.Rounds, options.Progress, cancellation);
        IReadOnlyList<ImageWorkRow> images = await ImageWorkRounds.RunAsync(options.Rounds, options.Progress, cancellation);
        RecordingRow recording = new RecordingRounds(engine).Run(options.Rounds, options.Progress, cancellation);
        MetricsRow metrics = new MetricsRounds(engine).Run(options.Rounds, options.Progress, cancellation);
        SnapshotRow snapshot = await new SnapshotRounds(engine).RunAsync(options.Rounds, options.Progress, cancellation);
        BudgetMatrixReport? budget = null;
        if (compiled is not null)
        {
            using BudgetMatrix matrix = options.IsFull
                ? new BudgetMatrix(engine, compiled, FullFileBytes, (long)(FullFileBytes / PageSize.Small))
                : new BudgetMatrix(engine, compiled, SmallFileBytes, SmallAccesses);
            budget = await matrix.RunAsync(missing, options.Progress, cancellation);
        }

        return new PagingReport
        {
            Machine = machine,
            Rounds = options.Rounds,
            Missing = missing,
            OnePage = onePage,
            Evicting = evicting,
            Replay = replay,
            Prefetch = prefetch,
            Recording = recording,
            Metrics = metrics,
            Images = images,
            Snapshot = snapshot,
            Budget = budget,
        };
    }

    private static async Task<(PagingRow OnePage, PagingRow Evicting)> OnePageAsync(
        IMemoryEngine engine, CompiledHandlers? compiled, MachineFacts machine, FaultBenchmarkOptions options, CancellationToken cancellation)
    {
        using CompiledToucher? compiledToucher = compiled is null ? null : new CompiledToucher(compiled.Toucher);
        using CRounds? c = compiled is null ? null : new CRounds(compiled.Handler);
        Placement oneCpu = Placements.On(machine.Cpus).OneCpu;
        using var pager = new PagerRounds(engine, compiledToucher is null ? new ManagedToucher() : compiledToucher, Pages, oneCpu.FaultingCpu);
        using var pinning = new ProcessPinning(oneCpu.HandlerCpu, machine.Cpus);
        var rows = new List<Row> { pager.Anonymous(OnePageAtATime), pager.Image(OnePageAtATime with { BudgetBytes = BudgetPages * PageSize.Small }) };
        if (c is not null)
        {
            rows.Add(Row.Of(c, new RoundSpec(RoundKind.Copy, ReadStyle.Blocking, Pages, 1, oneCpu)));
        }

        var interleaving = new Interleaving(options.Rounds, options.Progress);
        IReadOnlyList<Measured> measured = await interleaving.RunAsync("one page at a time", rows, cancellation);
        Measured? reference = c is null ? null : measured[^1];
        return (PagingRow.Of(OnePageTarget, measured[0], reference), PagingRow.Of(EvictingTarget, measured[1], reference));
    }
}
