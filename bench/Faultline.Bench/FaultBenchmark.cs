using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Bench;

/// <summary>
/// Measures what a fault costs when a .NET program answers it, beside a C program that does the same, in turns. Only the handler differs:
/// memory, touching thread, placement and the order of calls are alike.
/// </summary>
public sealed class FaultBenchmark
{
    private const double RoundTripTarget = 1.05;
    private const double PagerTarget = 1.5;
    private const double SequentialTarget = 0.2;

    // Many short rounds rather than few long ones: what disturbs the machine then spoils some rounds, and not the median.
    // Waking another CPU makes a fault up to ten times slower.
    private const int OneCpuPages = 4_000;
    private const int TwoCpuPages = 1_000;
    private const int RangePages = 8_192;

    // A file larger than the processor's caches, as an image is.
    private const int PagerPages = 20_000;

    private static readonly int[] RangeLengths = [1, 16, 64, 512];

    private static readonly PagerOptions OnePageAtATime = new()
    {
        HandlerThreads = 1,
        LoadBytes = (int)PageSize.Small,
        SequentialWindowBytes = (int)PageSize.Small,
        NeighbourPages = 1,
    };

    private readonly IMemoryEngine _engine;
    private readonly IToucher _toucher;
    private readonly IRounds _dotnet;
    private readonly IRounds? _c;
    private readonly Placements _placements;
    private readonly Interleaving _interleaving;

    private FaultBenchmark(IMemoryEngine engine, IToucher toucher, IRounds dotnet, IRounds? c, Placements placements, FaultBenchmarkOptions options)
    {
        _engine = engine;
        _toucher = toucher;
        _dotnet = dotnet;
        _c = c;
        _placements = placements;
        _interleaving = new Interleaving(options.Rounds, options.Progress);
    }

    /// <summary>Runs everything: one to two minutes.</summary>
    /// <param name="engine">The engine of this process.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellation">Stops between two rounds.</param>
    /// <exception cref="BenchmarkException">Something could not be measured.</exception>
    /// <exception cref="MemoryEngineException">The kernel refused a call.</exception>
    public static async Task<FaultReport> RunAsync(IMemoryEngine engine, FaultBenchmarkOptions options, CancellationToken cancellation)
    {
        var missing = new List<MissingRow>();
        using CompiledHandlers? compiled = await CompiledHandlers.TryCompileAsync(missing, cancellation);
        using CompiledToucher? compiledToucher = compiled is null ? null : new CompiledToucher(compiled.Toucher);
        using CRounds? c = compiled is null ? null : new CRounds(compiled.Handler);
        IToucher toucher = compiledToucher is null ? new ManagedToucher() : compiledToucher;
        using var dotnet = new DotnetRounds(engine, toucher);

        var machine = MachineFacts.Look(compiled?.Compiler);
        var placements = Placements.On(machine.Cpus);
        if (placements.TwoCpus is null)
        {
            missing.Add(new MissingRow("two CPUs", "This process may run on one CPU only; give it a second one."));
        }

        if (!machine.IsOptimized)
        {
            missing.Add(new MissingRow("an optimised program", "This is a debug build, so the .NET rows are slower than they should be; build with -c Release."));
        }

        return await new FaultBenchmark(engine, toucher, dotnet, c, placements, options).RunAsync(machine, options.Rounds, missing, cancellation);
    }

    private async Task<FaultReport> RunAsync(MachineFacts machine, int rounds, List<MissingRow> missing, CancellationToken cancellation)
    {
        (RoundTrip minor, double minorAllocated) = await RoundTripAsync("minor fault, CONTINUE", RoundKind.Continue, cancellation);
        (RoundTrip copy, double copyAllocated) = await RoundTripAsync("missing fault, COPY", RoundKind.Copy, cancellation);
        ContinueRanges ranges = await RangesAsync(cancellation);
        (PagerComparison roundTrip, PagerComparison sequential) = await PagerAsync(machine.Cpus, cancellation);
        return new FaultReport
        {
            Machine = machine,
            Placements = _placements,
            Rounds = rounds,
            Missing = missing,
            MinorRoundTrip = minor,
            MissingCopyRoundTrip = copy,
            ContinueRanges = ranges,
            PagerRoundTrip = roundTrip,
            PagerSequential = sequential,
            Allocations = new Allocations(minorAllocated, copyAllocated, roundTrip.Anonymous.AllocatedBytesPerFault, roundTrip.Image.AllocatedBytesPerFault),
        };
    }

    private async Task<(RoundTrip RoundTrip, double AllocatedBytesPerFault)> RoundTripAsync(string what, RoundKind kind, CancellationToken cancellation)
    {
        double allocated = 0;
        async Task<Comparison?> CompareAsync(ReadStyle style, Placement? placement)
        {
            if (placement is null)
            {
                return null;
            }

            int pages = placement.Value.IsOneCpu ? OneCpuPages : TwoCpuPages;
            var spec = new RoundSpec(kind, style, pages, 1, placement.Value);
            string name = $"{what}, {(placement.Value.IsOneCpu ? "one CPU" : "two CPUs")}, {(style == ReadStyle.Blocking ? "blocking" : "polling")}";
            IReadOnlyList<Measured> measured = await _interleaving.RunAsync(name, Rows(spec), cancellation);
            allocated = Math.Max(allocated, measured[0].AllocatedBytesPerFault);
            return Comparison.Of(measured[0].Timing, measured.ElementAtOrDefault(1)?.Timing);
        }

        Comparison? oneCpu = await CompareAsync(ReadStyle.Blocking, _placements.OneCpu);
        Comparison? twoCpus = await CompareAsync(ReadStyle.Blocking, _placements.TwoCpus);
        Comparison? oneCpuPolling = await CompareAsync(ReadStyle.Polling, _placements.OneCpu);
        Comparison? twoCpusPolling = await CompareAsync(ReadStyle.Polling, _placements.TwoCpus);
        return (new RoundTrip(RoundTripTarget, oneCpu!, twoCpus, oneCpuPolling!, twoCpusPolling), allocated);
    }

    private async Task<ContinueRanges> RangesAsync(CancellationToken cancellation)
    {
        var kernelSpec = new RoundSpec(RoundKind.FaultAround, ReadStyle.Blocking, RangePages, 1, _placements.OneCpu);
        var rows = new List<Row> { Row.Of(_dotnet, kernelSpec) };
        foreach (int length in RangeLengths)
        {
            rows.AddRange(Rows(new RoundSpec(RoundKind.Continue, ReadStyle.Blocking, RangePages, length, _placements.OneCpu)));
        }

        IReadOnlyList<Measured> measured = await _interleaving.RunAsync("ranges of cached neighbours", rows, cancellation);
        Timing kernel = measured[0].Timing;
        int rowsPerLength = _c is null ? 1 : 2;
        return new ContinueRanges(kernel, [.. RangeLengths.Select((length, index) =>
        {
            int row = 1 + (index * rowsPerLength);
            return ContinueRange.Of(length, kernel, measured[row].Timing, _c is null ? null : measured[row + 1].Timing);
        })]);
    }

    private async Task<(PagerComparison RoundTrip, PagerComparison Sequential)> PagerAsync(IReadOnlyList<int> cpus, CancellationToken cancellation)
    {
        using var pager = new PagerRounds(_engine, _toucher, PagerPages, _placements.OneCpu.FaultingCpu);
        using var pinning = new ProcessPinning(_placements.OneCpu.HandlerCpu, cpus);
        var usual = new PagerOptions();
        FloorRounds floor = pager.Floor(usual);
        var rows = new List<Row>
        {
            pager.Anonymous(OnePageAtATime), pager.Image(OnePageAtATime), pager.Anonymous(usual), pager.Image(usual), floor.Anonymous(), floor.Image(),
        };
        int pagerRows = rows.Count;
        if (_c is not null)
        {
            rows.Add(Row.Of(_c, new RoundSpec(RoundKind.Copy, ReadStyle.Blocking, PagerPages, 1, _placements.OneCpu)));
        }

        IReadOnlyList<Measured> measured = await _interleaving.RunAsync("the pager", rows, cancellation);
        Timing? c = measured.ElementAtOrDefault(pagerRows)?.Timing;
        PagerRow[] single = [PagerRow.Of(measured[0], c), PagerRow.Of(measured[1], c)];
        PagerRow[] inOrder = [PagerRow.Of(measured[2], c, measured[4].Timing), PagerRow.Of(measured[3], c, measured[5].Timing)];
        return (
            new PagerComparison(PagerTarget, PagerPages, c, single[0], single[1]),
            new PagerComparison(SequentialTarget, PagerPages, c, inOrder[0], inOrder[1]));
    }

    /// <summary>The .NET row, and the C row if there is one.</summary>
    private List<Row> Rows(RoundSpec spec) => _c is null ? [Row.Of(_dotnet, spec)] : [Row.Of(_dotnet, spec), Row.Of(_c, spec)];
}
