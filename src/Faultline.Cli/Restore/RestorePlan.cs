using Faultline.Cli.Images;
using Faultline.Cli.Processes;

namespace Faultline.Cli.Restore;

/// <summary>A restore whose input was checked: what every run of it shares.</summary>
/// <param name="Options">What was asked for.</param>
/// <param name="Image">The image.</param>
/// <param name="Folder">The folder of the run; the checksums are in it.</param>
internal sealed record RestorePlan(RestoreOptions Options, ImageFile Image, RunFolder Folder)
{
    public PagerJob PagerJob(RestoreMode mode) => new()
    {
        Image = Image.Path,
        RunFolder = Folder.Path,
        Handlers = Options.Handlers,
        CacheFolder = Options.CacheFolder,
        CacheBytes = Options.CacheBytes,
        Clones = Options.Clones,
        Metrics = Options.Metrics && mode == RestoreMode.Continue,
        Otlp = mode == RestoreMode.Continue ? Options.Otlp : null,
        Record = mode == RestoreMode.Continue ? Options.RecordPath : null,
        Replay = mode == RestoreMode.Continue ? Options.ReplayPath : null,
        Snapshot = mode == RestoreMode.Continue ? Options.SnapshotPath : null,
    };

    public CloneJob CloneJob(int clone, RestoreMode mode) => new()
    {
        Index = clone,
        Mode = mode,
        Image = Image.Path,
        ImageBytes = Image.LengthBytes,
        RunFolder = Folder.Path,
        Pattern = Options.Pattern,
        TouchPercent = Options.TouchPercent,
        WritePercent = Options.WritePercent,
        Seed = Options.Seed,
        Verify = Options.Verify,
        Trace = Options.TracePath,
        Replay = mode == RestoreMode.Continue ? Options.ReplayPath : null,
        WantsPageMap = Options.ReportPath is not null && mode == RestoreMode.Continue,
    };
}
