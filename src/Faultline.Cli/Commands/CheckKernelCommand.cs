using System;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Cli.Json;
using Faultline.Cli.Output;
using Faultline.Verification.Kernel;

namespace Faultline.Cli.Commands;

/// <summary><c>faultline check kernel</c>: random programs on the running kernel and on the managed engine, compared after every step.</summary>
internal static class CheckKernelCommand
{
    private const long UsualOperations = 200_000;

    private static readonly Option<bool> Json = new(CommandTree.JsonOption) { Description = "Print one JSON document and nothing else." };
    private static readonly Option<string?> Minutes = new("--minutes") { HelpName = "M", Description = "Stop after so many minutes." };
    private static readonly Option<string?> Operations = new("--operations") { HelpName = "N", Description = "Stop after so many steps (200000 if no end is given)." };
    private static readonly Option<string?> Seed = new("--seed") { HelpName = "S", Description = "What the random programs are made from (1)." };
    private static readonly Option<string?> Workers = new("--workers") { HelpName = "W", Description = "Threads that run programs (one for each processor)." };
    private static readonly Option<string?> Program = new("--program") { HelpName = "P", Description = "Run the one program that a difference names." };
    private static readonly Option<string?> Script = new("--script") { HelpName = "FILE", Description = "Run one program from a file, one step a line." };

    private static readonly Option<string?> Save = new("--save")
    {
        HelpName = "FOLDER",
        Description = "Write each difference, and what did not show again, into this folder, as scripts that --script runs.",
    };

    private static readonly Option<bool> NoHugePages = new("--no-hugepages")
    {
        Description = "Leave hugetlb out. Otherwise huge pages are added to the kernel's pool for the run, if that is allowed.",
    };

    private static readonly Option<bool> NoSwap = new("--no-swap")
    {
        Description = "Leave page-out out. Otherwise a swap file is put into use for the run, if that is allowed.",
    };

    private static readonly Option<bool> Tuples = new("--tuples") { Description = "Show which tuples were reached and which never." };

    public static Command Create()
    {
        var command = new Command("kernel", "Runs random programs on the running kernel and on the managed engine, and compares after every step.")
        {
            Minutes, Operations, Seed, Workers, Program, Script, Save, NoHugePages, NoSwap, Tuples, Json,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        KernelCheckOptions options = ReadOptions(parsed);
        string? script = parsed.GetValue(Script);
        string? program = parsed.GetValue(Program);
        ulong programSeed = program is null ? 0 : Number("--program", program, ulong.MaxValue);
        string? text = script is null ? null : await ReadScriptAsync(script, cancellation).ConfigureAwait(false);
        RequireKernel();
        using var interruption = new Interruption();
        using var machine = BorrowedMachine.Take(parsed.GetValue(NoHugePages) ? 0 : options.Workers, withSwap: !parsed.GetValue(NoSwap));
        options = options with { WithHugePages = machine.HasHugePages, WithSwap = machine.HasSwap };
        if (!parsed.GetValue(Json))
        {
            Print(machine);
        }

        if (text is not null)
        {
            return One(parsed, machine, RunScript(text), "the script");
        }

        if (program is not null)
        {
            return One(parsed, machine, KernelCheck.RunProgram(programSeed, options), "the program");
        }

        KernelCheckReport report = await new KernelCheck(options).RunAsync(interruption.Token).ConfigureAwait(false);
        Progress(string.Empty);
        SaveScripts(parsed.GetValue(Save), report);
        if (parsed.GetValue(Json))
        {
            JsonOutput.Write(CheckKernelDocument.Of(report, machine), FaultlineJson.Default.CheckKernelDocument);
        }
        else
        {
            Print(report, parsed.GetValue(Tuples));
        }

        return interruption.Token.IsCancellationRequested ? interruption.ExitCode : report.Differences.Count == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static KernelCheckOptions ReadOptions(ParseResult parsed)
    {
        double minutes = parsed.GetValue(Minutes) is { } text ? ReadMinutes(text) : 0;
        long operations = parsed.GetValue(Operations) is { } count ? (long)Number("--operations", count, long.MaxValue) : 0;
        return new()
        {
            Duration = TimeSpan.FromMinutes(minutes),
            Operations = operations == 0 && minutes == 0 ? UsualOperations : operations,
            Seed = parsed.GetValue(Seed) is { } seed ? Number("--seed", seed, ulong.MaxValue) : 1,
            Workers = parsed.GetValue(Workers) is { } workers ? (int)Math.Max(Number("--workers", workers, 64), 1) : Math.Min(Environment.ProcessorCount, 64),
            Found = parsed.GetValue(Json) ? null : static difference => Print(difference),
            Progress = static progress => Progress(string.Create(
                CultureInfo.InvariantCulture,
                $"{progress.Operations:n0} operations, {progress.Operations / progress.Elapsed.TotalSeconds:n0} a second, {progress.TuplesReached} tuples, {progress.Differences} differences")),
        };
    }

    private static double ReadMinutes(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double minutes) && minutes is > 0 and <= 10_000
            ? minutes
            : throw ToolException.BadInput($"--minutes must be a number above 0 and up to 10000, not '{text}'.");

    private static ulong Number(string option, string text, ulong most) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) && number <= most
            ? number
            : throw ToolException.BadInput($"{option} must be a whole number from 0 to {most}, not '{text}'.");

    private static async Task<string> ReadScriptAsync(string path, CancellationToken cancellation)
    {
        try
        {
            return await File.ReadAllTextAsync(path, cancellation).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw ToolException.BadInput($"The script {path} cannot be read: {Sentence.Of(failure)}");
        }
    }

    private static KernelDifference? RunScript(string text)
    {
        try
        {
            return KernelCheck.RunScript(text);
        }
        catch (FormatException failure)
        {
            throw ToolException.BadInput($"The script cannot be used: {failure.Message}");
        }
    }

    private static void RequireKernel()
    {
        if (KernelCheck.FindRefusal() is { } reason)
        {
            throw new ToolException(ExitCode.CannotRunHere, $"{reason} `faultline doctor` shows everything that was looked at.");
        }
    }

    private static int One(ParseResult parsed, BorrowedMachine machine, KernelDifference? difference, string what)
    {
        if (parsed.GetValue(Json))
        {
            JsonOutput.Write(CheckKernelDocument.Of(difference, machine), FaultlineJson.Default.CheckKernelDocument);
        }
        else if (difference is null)
        {
            Console.WriteLine($"Both engines agree on {what}.");
        }
        else
        {
            Print(difference);
        }

        return difference is null ? ExitCode.Done : ExitCode.Failed;
    }

    private static void SaveScripts(string? folder, KernelCheckReport report)
    {
        if (folder is null || report.Differences.Count + report.Unstable.Count == 0)
        {
            return;
        }

        Directory.CreateDirectory(folder);
        foreach (KernelDifference difference in (ReadOnlySpan<KernelDifference>)[.. report.Differences, .. report.Unstable])
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"{difference.ProgramSeed:x16}{(difference.IsReproducible ? string.Empty : ".unstable")}.txt");
            File.WriteAllText(Path.Combine(folder, name), difference.Script);
        }
    }

    private static void Print(BorrowedMachine machine)
    {
        if (machine.HugePages > 0)
        {
            Console.WriteLine(machine.HugePagesRefusal is { } refusal
                ? $"No hugetlb in the programs: {refusal}"
                : string.Create(CultureInfo.InvariantCulture, $"Borrowed {machine.HugePages} huge pages from the machine."));
        }

        if (machine.HasSwap || machine.SwapRefusal is not null)
        {
            Console.WriteLine(machine.SwapRefusal is { } refusal
                ? $"No page-out in the programs: {refusal}"
                : "Borrowed a swap file.");
        }
    }

    private static void Print(KernelCheckReport report, bool withTuples)
    {
        if (withTuples)
        {
            Console.WriteLine("Tuples reached: verb, kind of memory, modes, state of the entry, outcome, times");
            Console.WriteLine("  " + string.Join("\n  ", report.Reached));
            Console.WriteLine("Never reached: verb, kind of memory, state of the entry");
            Console.WriteLine("  " + string.Join("\n  ", report.NeverReached));
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Operations:n0} operations in {report.Programs:n0} programs, {report.Elapsed.TotalSeconds:0.0} s, {report.OperationsPerSecond:n0} a second; {report.TuplesReached} tuples reached, {report.NeverReached.Count} combinations never."));
        foreach ((string rule, long times) in report.Explained.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Explained: {rule}, {times} times (docs/divergences.md)."));
        }

        foreach (KernelDifference unstable in report.Unstable)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"In fewer than half of five more runs: program {unstable.ProgramSeed}, {unstable.What}; the kernel: {unstable.Linux}; the managed engine: {unstable.Managed}"));
        }

        Console.WriteLine(report.Differences.Count == 0
            ? "No unexplained difference."
            : string.Create(CultureInfo.InvariantCulture, $"{report.Differences.Count} unexplained differences."));
    }

    private static void Print(KernelDifference difference)
    {
        Progress(string.Empty);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"DIFFERENCE, {difference.Times} times."));
        Console.WriteLine($"  {difference.What}");
        Console.WriteLine($"  the kernel:          {difference.Linux}");
        Console.WriteLine($"  the managed engine:  {difference.Managed}");
        if (difference.ProgramSeed is { } seed)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  again: faultline check kernel --program {seed}"));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {difference.Steps} steps:"));
        Console.WriteLine("    " + difference.Script.TrimEnd().Replace("\n", "\n    ", StringComparison.Ordinal));
    }

    /// <summary>One line that is written over again, on a terminal only: standard output is for the result.</summary>
    private static void Progress(string text)
    {
        if (!Console.IsErrorRedirected)
        {
            Console.Error.Write($"\r\u001b[K{text}");
        }
    }
}
