using System.CommandLine;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Cli.Patterns;
using Faultline.Cli.Restore;
using Faultline.Cli.Telemetry;

namespace Faultline.Cli.Commands;

/// <summary><c>faultline restore</c>.</summary>
internal static class RestoreCommand
{
    private const string Name = "restore";

    /// <summary>Of <c>quickstart</c> too.</summary>
    public const string EngineHelp = "linux: clones are processes; managed: address spaces of one process, without the kernel's userfaultfd.";

    private static readonly Argument<string> Image = new("IMAGE") { Description = "The file to restore: any file whose size is a multiple of 4096 bytes." };
    private static readonly Option<string> Clones = Text("--clones", "N", "4", "How many clones.");
    private static readonly Option<string> Touch = Text("--touch", "P%", "100%", "Accesses of each clone, in per cent of the image's pages.");
    private static readonly Option<string?> Pattern = Choice("--pattern", "sequential|random|zipf|trace", "The order of the accesses (default: sequential).");
    private static readonly Option<string?> Trace = Choice("--trace", "FILE", "With --pattern trace: on each line a page number, or 0x and a byte offset.");
    private static readonly Option<string> Write = Text("--write", "P%", "0%", "Pages each clone writes to, in per cent of those it touches.");
    private static readonly Option<string> Handlers = Text("--handlers", "H", "2", "Threads of the pager.");
    private static readonly Option<string?> Engine = Choice("--engine", "linux|managed", EngineHelp);
    private static readonly Option<bool> Verify = new("--verify") { Description = "Check every page read against the image." };
    private static readonly Option<string[]> Compare = new("--compare")
    {
        HelpName = "copy|eager|mmap|all",
        Description = "Do the same work in another way too; may be repeated.",
    };

    private static readonly Option<string?> Report = Choice("--report", "FILE.html", "Write a page with pictures.");
    private static readonly Option<string> Seed = Text("--seed", "S", "1", "Chooses the random accesses and writes.");
    private static readonly Option<string?> Record = Choice("--record", "WS.json", "Write down which pages are touched, in order.");
    private static readonly Option<string?> Replay = Choice("--replay", "WS.json", "Bring the pages of a recorded run ahead of the faults.");
    private static readonly Option<string?> Snapshot = Choice("--snapshot", "OUT.flt", "Save the memory of the first clone when all are done, as a layer where it can be.");
    private static readonly Option<string?> Cache = Choice("--cache", "FOLDER", "Keep what is read of a remote image in this folder; processes may share it.");
    private static readonly Option<string> CacheSize = Text("--cache-size", "SIZE", "10G", "The most the cache takes on the disk.");
    private static readonly Option<bool> Metrics = new("--metrics") { Description = "Show what the meter says while the run goes on." };
    private static readonly Option<string?> Otlp = new("--otlp")
    {
        HelpName = "URL",
        Arity = ArgumentArity.ZeroOrOne,
        Description = "Send metrics and traces to an OTLP receiver (http://localhost:4318).",
    };

    private static readonly Option<bool> Json = new(CommandTree.JsonOption) { Description = "Print one JSON document and nothing else." };

    public static Command Create()
    {
        var command = new Command(Name, "Restores an image lazily into clones that share one page cache.")
        {
            Image, Clones, Touch, Pattern, Trace, Write, Handlers, Engine, Verify, Compare, Report, Seed, Cache, CacheSize, Record, Replay,
            Snapshot, Metrics, Otlp, Json,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        RestoreOptions options = Read(parsed);
        return RestoreOutcome.RunAsync(
            Name,
            parsed.GetValue(Json),
            (folder, view, token) => RestoreSession.RunAsync(Name, options, folder, view, token));
    }

    private static RestoreOptions Read(ParseResult parsed)
    {
        string? trace = parsed.GetValue(Trace);
        AccessPattern pattern = parsed.GetValue(Pattern) is { } word
            ? RestoreArguments.Pattern(word)
            : trace is null ? AccessPattern.Sequential : AccessPattern.Trace;
        if ((pattern == AccessPattern.Trace) != (trace is not null))
        {
            throw ToolException.BadInput(trace is null ? "--pattern trace needs --trace FILE." : "--trace is for --pattern trace only.");
        }

        var engine = EngineChoice.Make(parsed.GetValue(Engine));
        return new RestoreOptions
        {
            ImagePath = parsed.GetRequiredValue(Image),
            Engine = engine.Engine,
            EngineNote = engine.Note,
            Clones = RestoreArguments.Clones(parsed.GetRequiredValue(Clones)),
            Pattern = pattern,
            TracePath = trace is null ? null : System.IO.Path.GetFullPath(trace),
            TouchPercent = RestoreArguments.TouchPercent(parsed.GetRequiredValue(Touch)),
            WritePercent = RestoreArguments.WritePercent(parsed.GetRequiredValue(Write)),
            Handlers = RestoreArguments.Handlers(parsed.GetRequiredValue(Handlers)),
            Verify = parsed.GetValue(Verify),
            Compare = RestoreArguments.Compare(parsed.GetValue(Compare) ?? []),
            ReportPath = parsed.GetValue(Report),
            CacheFolder = parsed.GetValue(Cache) is { } folder ? System.IO.Path.GetFullPath(folder) : null,
            CacheBytes = RestoreArguments.CacheBytes(parsed.GetRequiredValue(CacheSize)),
            Seed = RestoreArguments.Seed(parsed.GetRequiredValue(Seed)),
            RecordPath = parsed.GetValue(Record) is { } record ? System.IO.Path.GetFullPath(record) : null,
            Metrics = parsed.GetValue(Metrics),
            Otlp = parsed.GetResult(Otlp) is null ? null : OtlpTarget.Parse(parsed.GetValue(Otlp)).Address.AbsoluteUri,
            SnapshotPath = parsed.GetValue(Snapshot) is { } snapshot ? System.IO.Path.GetFullPath(snapshot) : null,
            ReplayPath = parsed.GetValue(Replay) is { } replay ? System.IO.Path.GetFullPath(replay) : null,
        };
    }

    /// <summary>Numbers are read by <see cref="RestoreArguments"/>, whose sentences say what is allowed.</summary>
    private static Option<string> Text(string name, string help, string value, string description) =>
        new(name) { HelpName = help, Description = description, DefaultValueFactory = _ => value };

    private static Option<string?> Choice(string name, string help, string description) => new(name) { HelpName = help, Description = description };
}
