using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Cli.Json;
using Faultline.Cli.Processes;
using Faultline.Cli.Spaces;

namespace Faultline.Cli.Restore;

/// <summary>
/// One run: starts the clones, gives the go-signal to all of them at once, waits until all are done, has them measured while all of them still
/// hold their memory, and ends them. A clone that fails fails the run but not the others.
/// </summary>
internal abstract class RestoreRun(RestorePlan plan, RestoreMode mode) : IAsyncDisposable
{
    /// <summary>A run in which no clone says anything for this long has failed; a slow store is given up by the pager long before.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(60);

    private readonly List<string> _failures = [];

    public RestoreMode Mode => mode;

    /// <summary>The clones, for the live view too.</summary>
    public abstract IReadOnlyList<IRunClone> Clones { get; }

    /// <summary>What the pager has done so far, or null where there is none.</summary>
    public abstract PagerReport? Report { get; }

    protected RestorePlan Plan => plan;

    /// <summary>PSS of processes that are no clone's and no pager's alone.</summary>
    protected virtual long SharedProcessPssBytes => 0;

    public static RestoreRun Create(RestorePlan plan, RestoreMode mode) =>
        plan.Options.Engine == RestoreEngine.Managed ? new ManagedRun(plan, mode) : new ProcessRun(plan, mode);

    public async Task<RunResult> ExecuteAsync(CancellationToken cancellation)
    {
        using CancellationTokenRegistration stopping = cancellation.Register(Stop);
        await StartAsync(cancellation).ConfigureAwait(false);
        var sampler = new MemorySampler(MemoryBytes);
        bool wantsMemory = plan.Options.ReportPath is not null;
        Tell(RunWord.Go);
        using (var sampling = CancellationTokenSource.CreateLinkedTokenSource(cancellation))
        {
            Task memory = wantsMemory ? sampler.RunAsync(sampling.Token) : Task.CompletedTask;
            await WaitUntilDoneAsync(cancellation).ConfigureAwait(false);
            await sampling.CancelAsync().ConfigureAwait(false);
            await memory.ConfigureAwait(false);
        }

        if (wantsMemory)
        {
            sampler.Sample();
        }

        Tell(RunWord.Measure);
        await Task.WhenAll(Clones.Select(static clone => clone.Measured)).ConfigureAwait(false);
        long shared = SharedProcessPssBytes;
        SnapshotDocument? saved = mode == RestoreMode.Continue && plan.Options.SnapshotPath is not null ? await SaveAsync().ConfigureAwait(false) : null;
        if (saved?.Failure is { } notSaved)
        {
            _failures.Add(notSaved);
        }

        PagerReport? report = await FinishAsync().ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        _failures.AddRange(await ExplainLossesAsync().ConfigureAwait(false));
        var summary = new RunSummary(plan, mode, Clones, report, _failures, sampler.Samples) { SharedProcessPssBytes = shared, Saved = saved };
        return await summary.CreateAsync().ConfigureAwait(false);
    }

    public abstract ValueTask DisposeAsync();

    /// <summary>Starts everything; returns when all clones wait for the go-signal.</summary>
    protected abstract Task StartAsync(CancellationToken cancellation);

    /// <summary>Says one of the words of <see cref="RunWord"/> to all.</summary>
    protected abstract void Tell(string word);

    /// <summary>Throws if the run cannot go on.</summary>
    protected abstract Task CheckAsync();

    /// <summary>Saves the memory of the first clone, while all hold theirs.</summary>
    protected abstract Task<SnapshotDocument> SaveAsync();

    /// <summary>Ends the clones first, so that the pager sees them go, and then the pager.</summary>
    protected abstract Task<PagerReport?> FinishAsync();

    /// <summary>One sentence for whatever ended before its time.</summary>
    protected abstract Task<IReadOnlyList<string>> ExplainLossesAsync();

    /// <summary>The memory the run takes now.</summary>
    protected abstract long MemoryBytes();

    /// <summary>Has everything end soon; called once the run is not wanted any more.</summary>
    protected abstract void Stop();

    private async Task WaitUntilDoneAsync(CancellationToken cancellation)
    {
        Task done = Task.WhenAll(Clones.Select(static clone => clone.Done));
        while (!done.IsCompleted)
        {
            await Task.WhenAny(done, Task.Delay(TimeSpan.FromSeconds(1), cancellation)).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
            await CheckAsync().ConfigureAwait(false);
            if (!done.IsCompleted && Clones.Min(static clone => clone.Silence) > LongestSilence)
            {
                throw new ToolException(ExitCode.Failed, $"No clone got any further for {LongestSilence.TotalSeconds:0} seconds, so the run was ended.");
            }
        }
    }
}
