using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading.Tasks;
using Faultline.Cli.Processes;
using Faultline.Cli.Restore;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Faultline.Cli.Output;

/// <summary>Shows a run while it goes on: live on a terminal, one line a step elsewhere, nothing with <c>--json</c>.</summary>
internal sealed class RunView(IAnsiConsole? console)
{
    private const int BarWidth = 28;
    private const int MaxRows = 12;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(1);

    private readonly MetricsView _metrics = new();

    private bool IsLive => console is { Profile.Capabilities.Interactive: true, Profile.Capabilities.Ansi: true };

    /// <summary>Says what is done next.</summary>
    public void Say(string text) => console?.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[grey]{text}[/]");

    /// <summary>Says what went wrong beside the run.</summary>
    public static void Warn(string text) => Console.Error.WriteLine("faultline: " + text);

    /// <summary>Shows a run until it is over.</summary>
    public async Task<RunResult> ShowAsync(RestoreRun run, Task<RunResult> execution)
    {
        if (!IsLive)
        {
            Say($"Restoring: {run.Mode.Title()}");
            return await TellAsync(run, execution).ConfigureAwait(false);
        }

        await console!.Live(Draw(run)).AutoClear(true).StartAsync(async context =>
        {
            while (!execution.IsCompleted)
            {
                context.UpdateTarget(Draw(run));
                await Task.WhenAny(execution, Task.Delay(Interval)).ConfigureAwait(false);
            }
        }).ConfigureAwait(false);
        RunResult result = await execution.ConfigureAwait(false);
        if (result.Document.Metrics is { } last)
        {
            console!.Write(_metrics.Draw(last));
        }

        return result;
    }

    /// <summary>A line of metrics each second, and one at the end, if they were asked for.</summary>
    private async Task<RunResult> TellAsync(RestoreRun run, Task<RunResult> execution)
    {
        while (await Task.WhenAny(execution, Task.Delay(LineInterval)).ConfigureAwait(false) != execution)
        {
            if (run.Report?.Metrics is { } now)
            {
                console?.WriteLine(_metrics.Line(now));
            }
        }

        RunResult result = await execution.ConfigureAwait(false);
        if (result.Document.Metrics is { } last)
        {
            console?.WriteLine(_metrics.Line(last));
        }

        return result;
    }

    private Rows Draw(RestoreRun run)
    {
        var table = new Table { Border = TableBorder.None };
        foreach (string heading in (string[])["", "pages touched", "", "resident", "minor", "missing"])
        {
            table.AddColumn(new TableColumn($"[grey]{heading}[/]").NoWrap());
        }

        PagerReport? report = run.Report;
        for (int i = 0; i < Math.Min(run.Clones.Count, MaxRows); i++)
        {
            CloneProgress progress = run.Clones[i].Progress ?? new CloneProgress(0, 0);
            double part = progress.Planned == 0 ? 0 : (double)progress.Touched / progress.Planned;
            int full = (int)(part * BarWidth);
            table.AddRow(
                $"clone {i}",
                $"[blue]{new string('█', full)}[/][grey]{new string('░', BarWidth - full)}[/]",
                Amount.Count(progress.Touched),
                Amount.Count(report?.CloneInstalledPages[i] ?? progress.Touched),
                Amount.Count(report?.CloneMinorFaults[i] ?? 0),
                Amount.Count(report?.CloneMissingFaults[i] ?? 0));
        }

        List<IRenderable> rows = [new Markup($"[bold]{run.Mode.Title()}[/]"), table, new Markup(Foot(run, report))];
        if (report?.Metrics is { } metrics)
        {
            rows.Add(_metrics.Draw(metrics));
        }

        return new Rows(rows);
    }

    private static string Foot(RestoreRun run, PagerReport? report)
    {
        string more = run.Clones.Count > MaxRows ? $"and {run.Clones.Count - MaxRows} more clones; " : string.Empty;
        if (report is null)
        {
            return $"[grey]{more}{Amount.Count(run.Clones.Sum(static clone => clone.Progress?.Touched ?? 0))} pages touched[/]";
        }

        string percentiles = $"p50 {Amount.Microseconds(report.P50Us)}, p99 {Amount.Microseconds(report.P99Us)}, max {Amount.Microseconds(report.MaxUs)}";
        return $"[grey]{more}{Amount.Bytes(report.StoreBytes)} from the store; fault latency {percentiles}[/]";
    }
}
