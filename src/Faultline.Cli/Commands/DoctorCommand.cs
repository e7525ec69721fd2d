using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Linq;
using System.Runtime.InteropServices;
using Faultline.Cli.Json;
using Faultline.Cli.Output;
using Faultline.Linux;
using Spectre.Console;

namespace Faultline.Cli.Commands;

/// <summary><c>faultline doctor</c>: what this machine can do, and the way to what it cannot.</summary>
internal static class DoctorCommand
{
    private static readonly Option<bool> Json = new(CommandTree.JsonOption) { Description = "Print one JSON document and nothing else." };

    public static Command Create()
    {
        var command = new Command("doctor", "Shows what this machine can do; exit code 0 if the main job can run on its kernel, else 3.") { Json };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        var probe = KernelProbe.Run();
        var document = new DoctorDocument
        {
            CanRun = probe.CanRunMainJob,
            DefaultEngine = probe.CanRunMainJob ? "linux" : "managed",
            Kernel = Environment.OSVersion.Version.ToString(),
            Runtime = RuntimeInformation.FrameworkDescription,
            Checks = [.. probe.Findings.Select(Describe)],
        };
        if (parsed.GetValue(Json))
        {
            JsonOutput.Write(document, FaultlineJson.Default.DoctorDocument);
        }
        else
        {
            Print(PlainConsole.Create(), document);
        }

        return document.CanRun ? ExitCode.Done : ExitCode.CannotRunHere;
    }

    private static CheckDocument Describe(KernelFinding finding) =>
        new(finding.Name, finding.Value, finding.IsOk, finding.IsRequired, finding.Advice.Length == 0 ? null : finding.Advice);

    private static void Print(IAnsiConsole console, DoctorDocument document)
    {
        var table = new Table { Border = TableBorder.None, ShowHeaders = false };
        table.AddColumn(new TableColumn(string.Empty).NoWrap());
        table.AddColumn(new TableColumn(string.Empty).NoWrap());
        table.AddColumn(string.Empty);
        foreach (CheckDocument check in document.Checks)
        {
            string mark = check.Ok ? "[green]yes[/]" : check.Required ? "[red]no[/]" : "[yellow]no[/]";
            table.AddRow(new Markup(mark), new Text(check.Name), new Text(check.Value));
        }

        console.Write(table);
        IReadOnlyList<CheckDocument> missing = [.. document.Checks.Where(static check => check.Advice is not null)];
        if (missing.Count > 0)
        {
            console.WriteLine();
            foreach (CheckDocument check in missing)
            {
                console.WriteLine($"{check.Name}: {check.Advice}");
            }
        }

        console.WriteLine();
        console.MarkupLine(document.CanRun
            ? "[green]The main job can run here.[/] Try: faultline quickstart"
            : "[red]The main job cannot run on this kernel[/]: see each 'no' in red above.");
        if (document.DefaultEngine == "managed")
        {
            console.WriteLine("Without userfaultfd it runs on the managed engine, in one process: faultline quickstart does that by itself.");
        }
    }
}
