using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Cli.Images;
using Faultline.Cli.Json;
using Faultline.Cli.Processes;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Spaces;

/// <summary>A run on the managed engine: every clone is an address space in this process, and the pager is in this process too.</summary>
internal sealed class ManagedRun(RestorePlan plan, RestoreMode mode) : RestoreRun(plan, mode)
{
    /// <summary>How long clones may take to give back their memory; one that takes longer is left to the end of this process.</summary>
    private static readonly TimeSpan GraceTime = TimeSpan.FromSeconds(20);

    private readonly ManagedStage _stage = new(plan, mode);
    private readonly CloneSignals _signals = new();
    private readonly List<ManagedClone> _clones = [];

    public override IReadOnlyList<IRunClone> Clones => _clones;

    public override PagerReport? Report => _stage.Report();

    protected override long SharedProcessPssBytes => ProcessFigures.Of(Environment.ProcessId).PssBytes;

    public override async ValueTask DisposeAsync()
    {
        _signals.Stop();
        try
        {
            await Task.WhenAll(_clones.Select(static clone => clone.Ended)).WaitAsync(GraceTime).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Its memory must not be taken away under it.
            return;
        }

        _stage.Dispose();
        _signals.Dispose();
    }

    protected override async Task StartAsync(CancellationToken cancellation)
    {
        ulong[]? checksums = Plan.Options.Verify ? ImageFile.ReadChecksums(RunFolder.ChecksumsOf(Plan.Folder.Path)) : null;
        for (int i = 0; i < Plan.Options.Clones; i++)
        {
            _clones.Add(new ManagedClone(_stage, Plan.CloneJob(i, Mode), checksums, _signals));
        }

        bool[] ready = await Task.WhenAll(_clones.Select(static clone => clone.Ready)).ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        int lost = Array.IndexOf(ready, false);
        if (lost >= 0)
        {
            throw new ToolException(ExitCode.Failed, Explain(lost));
        }
    }

    protected override void Tell(string word) => _signals.Tell(word);

    protected override Task CheckAsync() => Task.CompletedTask;

    protected override Task<SnapshotDocument> SaveAsync() => _stage.SaveAsync(Plan.Options.SnapshotPath!);

    protected override async Task<PagerReport?> FinishAsync()
    {
        long homePss = _stage.HomePssBytes();
        Tell(RunWord.Finish);
        await Task.WhenAll(_clones.Select(static clone => clone.Ended)).ConfigureAwait(false);
        return _stage.LastReport(homePss);
    }

    protected override Task<IReadOnlyList<string>> ExplainLossesAsync() =>
        Task.FromResult<IReadOnlyList<string>>([.. Enumerable.Range(0, _clones.Count).Where(i => _clones[i].Failure is not null).Select(Explain)]);

    protected override long MemoryBytes() => _stage.BytesInUse;

    protected override void Stop() => _signals.Stop();

    private string Explain(int clone) => $"Clone {clone} failed: {_clones[clone].Failure}";
}
