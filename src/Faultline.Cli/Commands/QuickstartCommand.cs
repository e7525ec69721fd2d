using System.CommandLine;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Cli.Images;
using Faultline.Cli.Json;
using Faultline.Cli.Output;
using Faultline.Cli.Processes;
using Faultline.Cli.Report;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Commands;

/// <summary><c>faultline quickstart</c>: the main job on a sample image, with verification and every comparison.</summary>
internal static class QuickstartCommand
{
    private const long SampleBytes = 256L << 20;
    private const int SampleClones = 4;
    private const double SampleWrites = 2;
    private const string ReportName = "faultline-quickstart.html";

    private static readonly Option<string?> Report = new("--report")
    {
        HelpName = "FILE.html",
        Description = $"Where the page with pictures goes (default: ./{ReportName}).",
    };

    private static readonly Option<string?> Engine = new("--engine") { HelpName = "linux|managed", Description = RestoreCommand.EngineHelp };
    private static readonly Option<bool> Json = new(CommandTree.JsonOption) { Description = "Print one JSON document and nothing else." };

    public static Command Create()
    {
        var command = new Command("quickstart", "Makes a sample image of 256 MiB and restores it into 4 clones, with every comparison.") { Engine, Report, Json };
        command.SetAction(RunAsync);
        return command;
    }

    private static Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var engine = EngineChoice.Make(parsed.GetValue(Engine));
        string report = parsed.GetValue(Report) ?? DefaultReport();
        ReportFile.CheckWritable(report);
        return RestoreOutcome.RunAsync(
            "quickstart", parsed.GetValue(Json), (folder, view, token) => RunAsync(engine, report, folder, view, token));
    }

    private static async Task<RestoreDocument> RunAsync(EngineChoice engine, string report, RunFolder folder, RunView view, CancellationToken cancellation)
    {
        string image = Path.Combine(folder.Path, "sample.img");
        view.Say($"Packing files of this machine into a sample image of {Amount.Bytes(SampleBytes)}");
        SampleImage.Create(image, SampleBytes, cancellation);
        var options = new RestoreOptions
        {
            ImagePath = image,
            Engine = engine.Engine,
            EngineNote = engine.Note,
            Clones = SampleClones,
            WritePercent = SampleWrites,
            Verify = true,
            Compare = [RestoreMode.Copy, RestoreMode.Eager, RestoreMode.Mmap],
            ReportPath = report,
        };
        return await RestoreSession.RunAsync("quickstart", options, folder, view, cancellation).ConfigureAwait(false);
    }

    /// <summary>The current folder, or the one for temporary files where that cannot be written.</summary>
    private static string DefaultReport()
    {
        try
        {
            ReportFile.CheckWritable(ReportName);
            return ReportName;
        }
        catch (ToolException)
        {
            return Path.Combine(Path.GetTempPath(), ReportName);
        }
    }
}
