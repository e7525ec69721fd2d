using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Linq;
using Faultline.Cli.Json;
using Faultline.Cli.Output;
using Faultline.Verification.Races;
using Spectre.Console;

namespace Faultline.Cli.Commands;

/// <summary><c>faultline check races</c>: every interleaving of small concurrent programs on the managed engine.</summary>
internal static class CheckRacesCommand
{
    private static readonly Option<bool> Json = new(CommandTree.JsonOption) { Description = "Print one JSON document and nothing else." };

    private static readonly Option<int> Seconds = new("--seconds")
    {
        Description = "About how long the searches may take together; what is cut short says which bound it reached.",
        DefaultValueFactory = static _ => 60,
    };

    private static readonly Option<int> Seed = new("--seed")
    {
        Description = "The seed of the schedules that are chosen at random.",
        DefaultValueFactory = static _ => 1,
    };

    private static readonly Option<string?> Scenario = new("--scenario") { Description = "Only the scenarios whose name contains this." };

    private static readonly Option<string?> Replay = new("--replay")
    {
        Description = "Run one schedule again, as a failure printed it. Needs the whole name of its scenario or canary.",
    };

    public static Command Create()
    {
        var command = new Command(
            "races",
            "Runs small concurrent programs on the managed engine in every interleaving. Exit code 1 if one fails, or a part broken on purpose is not noticed.")
        {
            Json, Seconds, Seed, Scenario, Replay,
        };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        string? name = parsed.GetValue(Scenario);
        if (parsed.GetValue(Seconds) < 1)
        {
            throw ToolException.BadInput($"--seconds is {parsed.GetValue(Seconds)}; it must be at least 1.");
        }

        if (parsed.GetValue(Replay) is { } path)
        {
            return RunAgain(name ?? throw ToolException.BadInput("--replay needs --scenario with the name of one scenario."), path);
        }

        if (name is not null && !RaceCheck.Names.Any(known => known.Contains(name, StringComparison.OrdinalIgnoreCase)))
        {
            throw ToolException.BadInput($"No scenario has '{name}' in its name. There are: {string.Join(", ", RaceCheck.Names)}.");
        }

        RaceCheckOptions options = new() { Time = TimeSpan.FromSeconds(parsed.GetValue(Seconds)), Seed = parsed.GetValue(Seed), Name = name };
        bool isJson = parsed.GetValue(Json);
        IAnsiConsole? console = isJson ? null : PlainConsole.Create();
        IReadOnlyList<RaceResult> results = RaceCheck.Run(options, result => Print(console, result));
        console?.WriteLine();
        IReadOnlyList<CanaryResult> canaries = RaceCheck.RunCanaries(result => Print(console, result));
        RacesDocument document = Describe(results, canaries);
        if (isJson)
        {
            JsonOutput.Write(document, FaultlineJson.Default.RacesDocument);
        }
        else
        {
            PrintEnd(console!, document);
        }

        return document.Failures == 0 && document.CanariesSurvived == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static int RunAgain(string name, string path)
    {
        try
        {
            RaceFailure? failure = RaceCheck.Replay(name, path);
            Console.WriteLine(failure is null ? "The schedule ends well." : $"{failure.Kind}: {failure.Message}");
            return failure is null ? ExitCode.Done : ExitCode.Failed;
        }
        catch (ArgumentException e)
        {
            throw ToolException.BadInput(Sentence.Of(e));
        }
    }

    private static RacesDocument Describe(IReadOnlyList<RaceResult> results, IReadOnlyList<CanaryResult> canaries) => new()
    {
        Scenarios = [.. results.Select(static result => new RaceDocument
        {
            Name = result.Name,
            Story = result.Story,
            Schedules = result.Schedules,
            Sampled = result.Sampled,
            Complete = result.IsComplete,
            Preemptions = result.IsComplete ? null : result.CompletePreemptions,
            Milliseconds = Math.Round(result.Milliseconds, 1),
            Failures = [.. result.Failures.Select(Describe)],
        })],
        Canaries = [.. canaries.Select(static canary => new CanaryDocument
        {
            Name = canary.Name,
            Story = canary.Story,
            Expected = canary.Expected.ToString(),
            Caught = !canary.HasSurvived,
            Schedules = canary.Schedules,
            Failure = canary.Failure is { } failure ? Describe(failure) : null,
        })],
        Schedules = results.Sum(static result => result.Schedules),
        Failures = results.Sum(static result => result.Failures.Count),
        CanariesSurvived = canaries.Count(static canary => canary.HasSurvived),
    };

    private static RaceFailureDocument Describe(RaceFailure failure) =>
        new(failure.Kind.ToString(), failure.Message, failure.Path, failure.Preemptions);

    private static void Print(IAnsiConsole? console, RaceResult result)
    {
        string reached = result.IsComplete ? "complete"
            : result.CompletePreemptions >= 0 ? $"complete up to {result.CompletePreemptions} preemptions, {Amount.Count(result.Sampled)} at random"
            : $"{Amount.Count(result.Sampled)} at random";
        bool isRight = result.Failures.Count == 0;
        console?.MarkupLine(
            $"{(isRight ? "[green]ok[/]  " : "[red]FAIL[/]")} {result.Name,-28} {Amount.Count(result.Schedules),9} schedules, {reached}");
        foreach (RaceFailure failure in result.Failures)
        {
            console?.WriteLine($"     {failure.Kind}: {failure.Message}");
            console?.WriteLine($"     faultline check races --scenario {result.Name} --replay {failure.Path}");
        }
    }

    private static void Print(IAnsiConsole? console, CanaryResult result)
    {
        string how = result.HasSurvived ? "[red]survived[/]" : $"caught: {result.Expected} after {Amount.Count(result.Schedules)} schedules";
        console?.MarkupLine($"canary {result.Name,-34} {how}");
        if (result is { HasSurvived: false, Failure: { } failure })
        {
            console?.WriteLine($"     faultline check races --scenario {result.Name} --replay {(failure.Path.Length == 0 ? "\"\"" : failure.Path)}");
        }
    }

    private static void PrintEnd(IAnsiConsole console, RacesDocument document)
    {
        int complete = document.Scenarios.Count(static scenario => scenario.Complete);
        console.WriteLine();
        console.WriteLine(
            $"{Amount.Count(document.Schedules)} schedules of {document.Scenarios.Count} scenarios, {complete} of them complete; " +
            $"{document.Failures} failed, {document.CanariesSurvived} of {document.Canaries.Count} canaries survived.");
    }
}
