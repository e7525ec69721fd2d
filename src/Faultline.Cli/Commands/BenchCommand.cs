using System;
using System.CommandLine;
using System.Globalization;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Bench;
using Faultline.Linux;

namespace Faultline.Cli.Commands;

/// <summary>
/// <c>faultline bench</c>: measures faults beside a bare C handler, restores beside the other ways, and the managed engine beside the kernel; see
/// docs/benchmarks.md.
/// </summary>
internal static class BenchCommand
{
    private const int DefaultRestoreRounds = 3;
    private const int DefaultMmRounds = 21;
    private const int DefaultPagingRounds = 9;

    private static readonly Option<bool> Json = new(CommandTree.JsonOption) { Description = "Print one JSON document and nothing else." };
    private static readonly Option<string?> Rounds = new("--rounds") { HelpName = "N", Description = "How often each row is measured." };

    private static readonly Option<bool> Full = new("--full") { Description = "The budget matrix in its full size: 1 GiB through 128 MiB." };

    public static Command Create()
    {
        var faults = new Command("faults", "What a fault costs, beside a bare C handler that is measured in turns.") { Rounds, Json };
        faults.SetAction(static (parsed, _) => RunAsync(parsed, FaultBenchmarkOptions.FewestRounds, new FaultBenchmarkOptions().Rounds, FaultsAsync));
        var restore = new Command("restore", "8 clones of an image of 512 MiB: memory, time to the first byte, store reads.") { Rounds, Json };
        restore.SetAction(static (parsed, _) => RunAsync(parsed, 1, DefaultRestoreRounds, RestoreAsync));
        var mm = new Command("mm", "The managed engine, beside the running kernel in turns.") { Rounds, Json };
        mm.SetAction(static (parsed, _) => RunAsync(parsed, FaultBenchmarkOptions.FewestRounds, DefaultMmRounds, MmAsync));
        var paging = new Command("paging", "The pager under a budget, with working sets, and for snapshots.") { Rounds, Full, Json };
        paging.SetAction(static (parsed, _) => RunAsync(
            parsed,
            FaultBenchmarkOptions.FewestRounds,
            DefaultPagingRounds,
            (engine, rounds, isJson, cancellation) => PagingAsync(engine, rounds, parsed.GetValue(Full), isJson, cancellation)));
        return new Command("bench", "Measures this machine; the tables are Markdown.") { faults, restore, mm, paging };
    }

    private static async Task<int> RunAsync(
        ParseResult parsed, int fewestRounds, int usualRounds, Func<LinuxEngine, int, bool, CancellationToken, Task<int>> measure)
    {
        int rounds = ReadRounds(parsed, fewestRounds, usualRounds);
        using var interruption = new Interruption();
        using var engine = new LinuxEngine();
        if (engine.Capabilities.KernelFaults is { IsAvailable: false } missing)
        {
            throw new ToolException(ExitCode.CannotRunHere, $"{missing.Reason} `faultline doctor` shows everything that was looked at.");
        }

        try
        {
            return await measure(engine, rounds, parsed.GetValue(Json), interruption.Token).ConfigureAwait(false);
        }
        catch (Exception stop) when (interruption.Token.IsCancellationRequested)
        {
            throw new ToolException(interruption.ExitCode, "The benchmark was interrupted; every process was ended and every file removed.", stop);
        }
        catch (Exception failure) when (failure is BenchmarkException or MemoryEngineException)
        {
            throw new ToolException(ExitCode.Failed, failure.Message, failure);
        }
    }

    private static async Task<int> FaultsAsync(LinuxEngine engine, int rounds, bool isJson, CancellationToken cancellation)
    {
        var options = new FaultBenchmarkOptions { Rounds = rounds, Progress = Progress };
        FaultReport report = await FaultBenchmark.RunAsync(engine, options, cancellation).ConfigureAwait(false);
        Progress(string.Empty);
        Console.WriteLine(isJson ? ReportJson.Write(report) : FaultTable.Write(report));
        return report.Missing.Count > 0 ? ExitCode.CannotRunHere : report.TargetsMet ? ExitCode.Done : ExitCode.Failed;
    }

    private static async Task<int> PagingAsync(LinuxEngine engine, int rounds, bool isFull, bool isJson, CancellationToken cancellation)
    {
        var options = new FaultBenchmarkOptions { Rounds = rounds, IsFull = isFull, Progress = Progress };
        PagingReport report = await PagingBenchmark.RunAsync(engine, options, cancellation).ConfigureAwait(false);
        Progress(string.Empty);
        Console.WriteLine(isJson ? ReportJson.Write(report) : PagingTable.Write(report));
        return report.Missing.Count > 0 ? ExitCode.CannotRunHere : report.TargetsMet ? ExitCode.Done : ExitCode.Failed;
    }

    private static async Task<int> RestoreAsync(LinuxEngine engine, int rounds, bool isJson, CancellationToken cancellation)
    {
        var benchmark = new RestoreBenchmark(engine, rounds, Progress);
        RestoreReport report = await benchmark.RunAsync(cancellation).ConfigureAwait(false);
        Progress(string.Empty);
        Console.WriteLine(isJson ? ReportJson.Write(report) : RestoreTable.Write(report));
        return report.TargetsMet ? ExitCode.Done : ExitCode.Failed;
    }

    private static async Task<int> MmAsync(LinuxEngine engine, int rounds, bool isJson, CancellationToken cancellation)
    {
        var options = new FaultBenchmarkOptions { Rounds = rounds, Progress = Progress };
        MmReport report = await MmBenchmark.RunAsync(engine, options, cancellation).ConfigureAwait(false);
        Progress(string.Empty);
        Console.WriteLine(isJson ? ReportJson.Write(report) : MmTable.Write(report));
        return report.Missing.Count > 0 ? ExitCode.CannotRunHere : report.TargetsMet ? ExitCode.Done : ExitCode.Failed;
    }

    private static int ReadRounds(ParseResult parsed, int fewest, int usual) => parsed.GetValue(Rounds) switch
    {
        null => usual,
        { } text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int rounds) && rounds >= fewest && rounds <= 1000 => rounds,
        { } text => throw ToolException.BadInput($"--rounds must be a whole number from {fewest} to 1000, not '{text}'."),
    };

    /// <summary>One line that is written over again, on a terminal only: standard output is for the result.</summary>
    private static void Progress(string text)
    {
        if (!Console.IsErrorRedirected)
        {
            Console.Error.Write($"\r\u001b[K{text}");
        }
    }
}
