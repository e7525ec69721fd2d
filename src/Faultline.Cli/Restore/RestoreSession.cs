using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Cli.Images;
using Faultline.Cli.Json;
using Faultline.Cli.Output;
using Faultline.Cli.Patterns;
using Faultline.Cli.Processes;
using Faultline.Cli.Report;
using Faultline.Cli.Spaces;

namespace Faultline.Cli.Restore;

/// <summary>A whole restore: checks the input, runs the main job and the comparisons one after another, and writes the report.</summary>
internal static class RestoreSession
{
    /// <summary>What a clone process takes before it has touched a page.</summary>
    private const long ProcessBytes = 40L << 20;

    /// <summary>Runs everything.</summary>
    /// <exception cref="ToolException">The input cannot be used, or the run failed so early that there are no numbers.</exception>
    public static async Task<RestoreDocument> RunAsync(string command, RestoreOptions options, RunFolder folder, RunView view, CancellationToken cancellation)
    {
        using var cache = ToolCache.Open(options.CacheFolder, options.CacheBytes);
        ImageFile image = await ImageFile.CheckAsync(options.ImagePath, cache, cancellation).ConfigureAwait(false);
        Check(options, image);
        var plan = new RestorePlan(options, image, folder);
        if (options.EngineNote is { } note)
        {
            view.Say(note);
        }

        if (options.Verify)
        {
            view.Say($"Computing the checksums of {Amount.Count(image.Pages)} pages");
            ulong[] checksums = await image.ComputeChecksumsAsync(cancellation).ConfigureAwait(false);
            ImageFile.WriteChecksums(RunFolder.ChecksumsOf(folder.Path), checksums);
        }

        var runs = new List<RunResult>();
        foreach (RestoreMode mode in (RestoreMode[])[RestoreMode.Continue, .. options.Compare.Where(mode => CanRun(options.Engine, mode))])
        {
            cancellation.ThrowIfCancellationRequested();
            var run = RestoreRun.Create(plan, mode);
            await using (run.ConfigureAwait(false))
            {
                runs.Add(await view.ShowAsync(run, run.ExecuteAsync(cancellation)).ConfigureAwait(false));
            }
        }

        if (runs[0].NotSent is { } notSent)
        {
            RunView.Warn(notSent);
        }

        RestoreDocument document = Describe(command, plan, runs);
        if (options.ReportPath is { } path)
        {
            ReportFile.Write(path, HtmlReport.Render(new ReportModel(document, runs, Machine.Describe(options.Engine))));
        }

        return document;
    }

    private static void Check(RestoreOptions options, ImageFile image)
    {
        RestoreMode mode = options.Compare.FirstOrDefault(static mode => mode is RestoreMode.Eager or RestoreMode.Mmap);
        if (!image.IsPlain && mode != RestoreMode.Continue)
        {
            throw ToolException.BadInput($"--compare {mode.Word()} reads a plain file on this machine: `faultline image extract` makes one of {image.Path}.");
        }

        if (options.Pattern == AccessPattern.Trace)
        {
            _ = TraceFile.Read(options.TracePath!, image.Pages);
        }

        if (options.ReportPath is { } path)
        {
            ReportFile.CheckWritable(path);
        }

        if (options.SnapshotPath is { } snapshot)
        {
            if (snapshot == Path.GetFullPath(options.ImagePath))
            {
                throw ToolException.BadInput("--snapshot names the image itself; choose another file.");
            }

            ReportFile.CheckWritable(snapshot, "snapshot");
        }

        if (options.RecordPath is { } record)
        {
            ReportFile.CheckWritable(record, "working set");
        }

        if (options.ReplayPath is { } replay)
        {
            WorkingSetWork.Check(replay, image.LengthBytes);
        }

        CheckMemory(options, image);
    }

    private static void CheckMemory(RestoreOptions options, ImageFile image)
    {
        long needed = NeededBytes(options, image, RestoreMode.Continue);
        string reason = string.Empty;
        foreach (RestoreMode mode in options.Compare)
        {
            long more = CanRun(options.Engine, mode) ? NeededBytes(options, image, mode) : 0;
            if (more > needed)
            {
                needed = more;
                reason = $" with --compare {mode.Word()}";
            }
        }

        long available = ProcessFigures.AvailableBytes();
        if (needed > available)
        {
            string advice = reason.Length == 0 ? "ask for fewer clones." : "ask for fewer clones, or leave the comparison out.";
            string amounts = $"about {Amount.Bytes(needed)} of memory, and {Amount.Bytes(available)} are available";
            throw ToolException.BadInput($"{options.Clones} clones of this image{reason} need {amounts}: {advice}");
        }
    }

    private static long NeededBytes(RestoreOptions options, ImageFile image, RestoreMode mode)
    {
        if (options.Engine == RestoreEngine.Managed)
        {
            return ManagedStage.MemoryFor(options, image, mode);
        }

        double touched = options.Pattern == AccessPattern.Trace ? 1 : options.TouchPercent / 100;
        double own = mode switch
        {
            RestoreMode.Continue => touched * options.WritePercent / 100,
            RestoreMode.Eager => 1,
            RestoreMode.Copy => touched,
            _ => 0,
        };
        long cached = mode == RestoreMode.Continue ? image.LengthBytes : 0;
        return cached + (options.Clones * (ProcessBytes + (long)(image.LengthBytes * own)));
    }

    /// <summary>Mapping a file of the machine is the kernel's alone.</summary>
    private static bool CanRun(RestoreEngine engine, RestoreMode mode) => engine == RestoreEngine.Linux || mode != RestoreMode.Mmap;

    private static RestoreDocument Describe(string command, RestorePlan plan, List<RunResult> runs)
    {
        RunDocument main = runs[0].Document;
        RestoreOptions options = plan.Options;
        IEnumerable<string> elsewhere = runs.Skip(1).SelectMany(static run => run.Document.Failures.Select(failure => $"With {run.Mode.Word()}: {failure}"));
        List<string> failures = [.. main.Failures, .. elsewhere];
        bool isVerified = options.Verify && failures.Count == 0;
        return new RestoreDocument
        {
            Command = command,
            Engine = options.Engine.ToString().ToLowerInvariant(),
            EngineNote = options.EngineNote,
            Image = plan.Image.Path,
            Pattern = options.Pattern.ToString().ToLowerInvariant(),
            TouchPercent = options.TouchPercent,
            WritePercent = options.WritePercent,
            Handlers = options.Handlers,
            Seed = options.Seed,
            Verification = !options.Verify ? "not asked" : isVerified ? "passed" : "failed",
            Report = options.ReportPath is null ? null : Path.GetFullPath(options.ReportPath),
            Compare = new CompareDocument
            {
                Copy = Find(runs, RestoreMode.Copy),
                Eager = Find(runs, RestoreMode.Eager),
                Mmap = Find(runs, RestoreMode.Mmap),
                MmapNotAvailable = options.Compare.Contains(RestoreMode.Mmap) && !CanRun(options.Engine, RestoreMode.Mmap) ? EngineChoice.NoMmap : null,
            },
            Mode = main.Mode,
            Verified = isVerified,
            Clones = main.Clones,
            ImageBytes = main.ImageBytes,
            TotalPssBytes = main.TotalPssBytes,
            TotalRssBytes = main.TotalRssBytes,
            TotalProcessPssBytes = main.TotalProcessPssBytes,
            MinorFaults = main.MinorFaults,
            MissingFaults = main.MissingFaults,
            TimeToFirstByteMs = main.TimeToFirstByteMs,
            TimeToDoneMs = main.TimeToDoneMs,
            StoreBytes = main.StoreBytes,
            StoreReads = main.StoreReads,
            Latency = main.Latency,
            WorkingSet = main.WorkingSet,
            Metrics = main.Metrics,
            Snapshot = main.Snapshot,
            Prefetch = main.Prefetch,
            PerClone = main.PerClone,
            Failures = failures,
        };
    }

    private static RunDocument? Find(List<RunResult> runs, RestoreMode mode) => runs.Find(run => run.Mode == mode)?.Document;
}
