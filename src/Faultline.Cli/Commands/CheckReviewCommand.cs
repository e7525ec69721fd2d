using System;
using System.CommandLine;
using Faultline.Cli.Json;
using Faultline.Cli.Output;
using Faultline.Cli.Report;
using Faultline.Cli.Restore;
using Faultline.Verification.Review;

namespace Faultline.Cli.Commands;

/// <summary><c>faultline check review</c>: the review of 2021, mechanised.</summary>
internal static class CheckReviewCommand
{
    private static readonly Option<string?> Report = new("--report") { HelpName = "FILE.html", Description = "Write a page with a picture of each history." };
    private static readonly Option<bool> Json = new(CommandTree.JsonOption) { Description = "Print one JSON document and nothing else." };

    public static Command Create()
    {
        var command = new Command("review", "Puts each defect of the 2021 review into the managed engine, and shows the shortest history that gives it away.") { Report, Json };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        string? path = parsed.GetValue(Report);
        if (path is not null)
        {
            ReportFile.CheckWritable(path);
        }

        // The switches are read once, so this comes before anything of the engine.
        ReviewCheck.Prepare();
        using var interruption = new Interruption();
        ReviewReport report;
        try
        {
            report = new ReviewCheck(Progress).Run(interruption.Token);
        }
        catch (OperationCanceledException stop)
        {
            throw new ToolException(interruption.ExitCode, "The check was interrupted.", stop);
        }
        finally
        {
            Progress(string.Empty);
        }

        if (path is not null)
        {
            ReportFile.Write(path, ReviewHtml.Render(report, Machine.Describe(RestoreEngine.Linux)));
        }

        if (parsed.GetValue(Json))
        {
            JsonOutput.Write(CheckReviewDocument.Of(report), FaultlineJson.Default.CheckReviewDocument);
        }
        else
        {
            ReviewMail.Write(PlainConsole.Create(), report);
        }

        return report.IsPassed ? ExitCode.Done : ExitCode.Failed;
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
