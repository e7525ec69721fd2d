using System;
using System.Globalization;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Cli.Json;
using Faultline.Cli.Output;
using Faultline.Cli.Processes;
using Spectre.Console;

namespace Faultline.Cli.Commands;

/// <summary>What <c>restore</c> and <c>quickstart</c> have in common around the run: Ctrl-C, the folder, and what is printed at the end.</summary>
internal static class RestoreOutcome
{
    public static async Task<int> RunAsync(string command, bool isJson, Func<RunFolder, RunView, CancellationToken, Task<RestoreDocument>> work)
    {
        using var interruption = new Interruption();
        using var folder = new RunFolder();
        IAnsiConsole console = PlainConsole.Create();

        try
        {
            RestoreDocument document = await work(folder, new RunView(isJson ? null : console), interruption.Token).ConfigureAwait(false);
            if (isJson)
            {
                JsonOutput.Write(document, FaultlineJson.Default.RestoreDocument);
            }
            else
            {
                Print(console, document);
            }

            foreach (string failure in document.Failures)
            {
                await Console.Error.WriteLineAsync("faultline: " + failure).ConfigureAwait(false);
            }

            return document.Failures.Count == 0 ? ExitCode.Done : ExitCode.Failed;
        }
        catch (Exception e) when (interruption.Token.IsCancellationRequested)
        {
            throw new ToolException(interruption.ExitCode, $"The {command} was interrupted; every process was ended and every file removed.", e);
        }
    }

    private static void PrintWorkingSet(IAnsiConsole console, WorkingSetDocument? set)
    {
        if (set?.RecordedTouches is { } touches)
        {
            console.WriteLine($"Working set: {Amount.Count(touches)} faults over {Amount.Count(set.RecordedPages ?? 0)} pages written to {set.Record}.");
        }

        if (set?.FaultsAvoided is { } avoided)
        {
            string guesses = $"{Amount.Count(set.GuessedAndUsed ?? 0)} pages guessed and used, {Amount.Count(set.GuessedAndUnused ?? 0)} not used";
            console.WriteLine($"Working set: {Amount.Percent(Math.Max(0, avoided) * 100)} of the faults avoided; {guesses}.");
        }
    }

    private static void PrintSnapshot(IAnsiConsole console, SnapshotDocument? saved)
    {
        if (saved is { Failure: null })
        {
            string what = saved.Base is null ? "all of it" : $"a layer on {saved.Base}: {Amount.Count(saved.StoredChunks)} chunks of its own";
            console.WriteLine($"Snapshot of the first clone: {saved.Path}, {Amount.Bytes(saved.FileBytes)}, {what}.");
        }
    }

    private static void PrintPrefetch(IAnsiConsole console, PrefetchDocument? prefetch)
    {
        if (prefetch is { PagesGuessed: > 0 } guesses)
        {
            string used = $"{Amount.Count(guesses.GuessedAndUsed)} pages guessed and used, {Amount.Count(guesses.GuessedAndUnused)} not used";
            console.WriteLine($"Prefetch: {used}; {Amount.Count(guesses.LoadsAvoided)} faults found their page there or on its way.");
        }
    }

    private static void Print(IAnsiConsole console, RestoreDocument document)
    {
        console.WriteLine();
        string image = System.IO.Path.GetFileName(document.Image);
        string work = $"{document.Pattern}, {Amount.Percent(document.TouchPercent)} touched, {Amount.Percent(document.WritePercent)} written";
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{document.Clones} {(document.Clones == 1 ? "clone" : "clones")} of {image}, {Amount.Bytes(document.ImageBytes)}; {work}"));
        ResultTable.Write(console, document);
        if (document.Latency is { Count: > 0 } latency)
        {
            string percentiles = $"median {Amount.Microseconds(latency.P50Us)}, 99% {Amount.Microseconds(latency.P99Us)}";
            console.WriteLine($"Fault latency in the pager: {percentiles}, longest {Amount.Microseconds(latency.MaxUs)}.");
        }

        PrintWorkingSet(console, document.WorkingSet);
        PrintSnapshot(console, document.Snapshot);
        PrintPrefetch(console, document.Prefetch);
        if (document.Verification == "passed")
        {
            console.MarkupLine("[green]Verified[/]: every page read by every clone matches the image, and the image is unchanged.");
        }

        if (document.Compare.MmapNotAvailable is { } noMmap)
        {
            console.WriteLine("plain mmap is n/a: " + noMmap);
        }

        if (!document.Compare.IsEmpty)
        {
            console.WriteLine();
            console.WriteLine("When to use which");
            foreach (string sentence in Guidance.Sentences(document.Compare))
            {
                console.WriteLine("  " + sentence);
            }
        }

        if (document.Report is { } report)
        {
            console.WriteLine();
            console.WriteLine("Report: " + report);
        }
    }
}
