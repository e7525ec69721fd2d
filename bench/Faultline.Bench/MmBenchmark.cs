using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Mm;

namespace Faultline.Bench;

/// <summary>
/// Measures the managed engine beside the running kernel, in turns: the same calls of the same contract, made by the same code on the same CPU.
/// </summary>
public sealed class MmBenchmark
{
    private const double BulkTarget = 0.5;
    private const double SingleTarget = 0.25;
    private const double TwoCpusTarget = 0.5;
    private const double OneCpuTarget = 1;
    private const double FirstTouchTarget = 0.5;
    private const double LoadTarget = 5;

    private const int OneCpuPages = 4_000;
    private const int TwoCpuPages = 1_000;

    /// <summary>What COPY copies from: 256 pages, within the processor's caches.</summary>
    private const int SourceBytes = 1 << 20;

    private const int AllPages = (int)(LinearRounds.Length / PageSize.Small);

    private static readonly int[] ResidentPages = [AllPages / 4, AllPages / 2, AllPages];

    private readonly IMemoryEngine _kernel;
    private readonly ManagedEngine _managed;
    private readonly Placements _placements;
    private readonly Interleaving _interleaving;
    private readonly Interleaving _linearInterleaving;

    private MmBenchmark(IMemoryEngine kernel, ManagedEngine managed, Placements placements, FaultBenchmarkOptions options)
    {
        _kernel = kernel;
        _managed = managed;
        _placements = placements;
        _interleaving = new Interleaving(options.Rounds, options.Progress);
        _linearInterleaving = new Interleaving(FaultBenchmarkOptions.FewestRounds, options.Progress);
    }

    private int Cpu => _placements.OneCpu.HandlerCpu;

    /// <summary>Runs everything: about a minute.</summary>
    /// <param name="kernel">The engine of the running kernel.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellation">Stops between two rounds.</param>
    /// <exception cref="BenchmarkException">Something could not be measured.</exception>
    /// <exception cref="MemoryEngineException">A call was refused.</exception>
    public static async Task<MmReport> RunAsync(IMemoryEngine kernel, FaultBenchmarkOptions options, CancellationToken cancellation)
    {
        var missing = new List<MissingRow>();
        var machine = MachineFacts.Look();
        var placements = Placements.On(machine.Cpus);
        if (placements.TwoCpus is null)
        {
            missing.Add(new MissingRow("two CPUs", "This process may run on one CPU only; give it a second one."));
        }

        if (!machine.IsOptimized)
        {
            missing.Add(new MissingRow("an optimised program", "This is a debug build, so the managed rows are slower than they should be; build with -c Release."));
        }

        using var managed = new ManagedEngine();
        return await new MmBenchmark(kernel, managed, placements, options).RunAsync(machine, options.Rounds, missing, cancellation);
    }

    private async Task<MmReport> RunAsync(MachineFacts machine, int rounds, List<MissingRow> missing, CancellationToken cancellation)
    {
        (TargetedRatio bulkContinue, TargetedRatio singleContinue, TargetedRatio bulkCopy) = await FillsAsync(cancellation);
        MmRoundTrip roundTrip = await RoundTripsAsync(cancellation);
        (TargetedRatio firstTouch, MmScaling? scaling) = await FirstTouchAsync(cancellation);
        (TargetedRatio load, ReadBandwidth read) = await ResidentAsync(cancellation);
        return new MmReport
        {
            Machine = machine,
            Placements = _placements,
            Rounds = rounds,
            Missing = missing,
            BulkContinue = bulkContinue,
            SingleContinue = singleContinue,
            BulkCopy = bulkCopy,
            MinorRoundTrip = roundTrip,
            FirstTouch = firstTouch,
            Load = load,
            Read = read,
            ScalingRows = scaling,
            Linear = await LinearAsync(cancellation),
        };
    }

    private async Task<(TargetedRatio BulkContinue, TargetedRatio SingleContinue, TargetedRatio BulkCopy)> FillsAsync(CancellationToken cancellation)
    {
        byte[] source = new byte[SourceBytes];
        source.AsSpan().Fill(1);
        using var managed = new FillRounds(_managed, Cpu, source);
        using var kernel = new FillRounds(_kernel, Cpu, source);
        TargetedRatio bulkContinue = await CompareAsync("CONTINUE in bulk", BulkTarget, managed.BulkContinue(), kernel.BulkContinue(), cancellation);
        TargetedRatio singleContinue = await CompareAsync("CONTINUE, one page", SingleTarget, managed.SingleContinue(), kernel.SingleContinue(), cancellation);
        TargetedRatio bulkCopy = await CompareAsync("COPY in bulk", BulkTarget, managed.BulkCopy(), kernel.BulkCopy(), cancellation);
        return (bulkContinue, singleContinue, bulkCopy);
    }

    private async Task<MmRoundTrip> RoundTripsAsync(CancellationToken cancellation)
    {
        using var managed = new DotnetRounds(_managed, new AccessToucher(_managed.Home));
        using var kernel = new DotnetRounds(_kernel, new ManagedToucher());
        async Task<TargetedRatio> TripAsync(string name, double target, Placement placement)
        {
            int pages = placement.IsOneCpu ? OneCpuPages : TwoCpuPages;
            var spec = new RoundSpec(RoundKind.Continue, ReadStyle.Blocking, pages, 1, placement);
            return await CompareAsync(name, target, Row.Of(managed, spec), Row.Of(kernel, spec), cancellation);
        }

        TargetedRatio oneCpu = await TripAsync("minor fault, one CPU", OneCpuTarget, _placements.OneCpu);
        return new MmRoundTrip(
            oneCpu,
            _placements.TwoCpus is { } two ? await TripAsync("minor fault, two CPUs", TwoCpusTarget, two) : null);
    }

    private async Task<(TargetedRatio FirstTouch, MmScaling? Scaling)> FirstTouchAsync(CancellationToken cancellation)
    {
        using var managed = new FirstTouchRounds(_managed, isMemoryOfProcess: false);
        using var kernel = new FirstTouchRounds(_kernel, isMemoryOfProcess: true);
        var rows = new List<Row> { managed.On(Cpu), kernel.On(Cpu) };
        if (_placements.TwoCpus is { } two)
        {
            rows.Add(managed.On(two.FaultingCpu, two.HandlerCpu));
            rows.Add(kernel.On(two.FaultingCpu, two.HandlerCpu));
        }

        IReadOnlyList<Measured> measured = await _interleaving.RunAsync("first touch", rows, cancellation);
        MmScaling? scaling = measured.Count < 4 ? null : new MmScaling(
            new ThreadScaling(measured[0].Timing, measured[2].Timing), new ThreadScaling(measured[1].Timing, measured[3].Timing));
        return (TargetedRatio.Of(FirstTouchTarget, measured[0], measured[1]), scaling);
    }

    private async Task<(TargetedRatio Load, ReadBandwidth Read)> ResidentAsync(CancellationToken cancellation)
    {
        using var resident = new ResidentRounds(_managed, Cpu);
        TargetedRatio load = await CompareAsync("resident loads", LoadTarget, resident.Load(), resident.ArrayLoad(), cancellation);
        IReadOnlyList<Measured> reads = await _interleaving.RunAsync("bulk reads", [resident.Read(), resident.Memcpy()], cancellation);
        return (load, new ReadBandwidth(reads[0].Timing, reads[1].Timing));
    }

    private async Task<LinearCalls> LinearAsync(CancellationToken cancellation)
    {
        var rounds = new LinearRounds(_managed, Cpu);
        List<Row> rows = [.. ResidentPages.Select(rounds.Unmap), .. ResidentPages.Select(rounds.Fork), .. ResidentPages.Select(rounds.Truncate)];
        IReadOnlyList<Measured> measured = await _linearInterleaving.RunAsync("munmap, fork and truncate of 1 GiB", rows, cancellation);
        LinearCall Call(int number) => LinearCall.Of(ResidentPages, measured.Skip(number * ResidentPages.Length).Take(ResidentPages.Length));
        return new LinearCalls(Call(0), Call(1), Call(2));
    }

    private async Task<TargetedRatio> CompareAsync(string what, double target, Row managed, Row reference, CancellationToken cancellation)
    {
        IReadOnlyList<Measured> measured = await _interleaving.RunAsync(what, [managed, reference], cancellation);
        return TargetedRatio.Of(target, measured[0], measured[1]);
    }
}
