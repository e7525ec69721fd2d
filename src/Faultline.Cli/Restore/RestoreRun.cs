using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Cli.Processes;

namespace Faultline.Cli.Restore;

/// <summary>
/// One run: starts the processes, gives the go-signal to all clones at once, waits until all are done, has them measured while all of them still
/// hold their memory, and ends them. A clone that dies fails the run but not the others; a pager that dies ends it.
/// </summary>
internal sealed class RestoreRun(RestorePlan plan, RestoreMode mode) : IAsyncDisposable
{
    /// <summary>A run in which no process says anything for this long has failed; a slow store is given up by the pager long before.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(60);

    private readonly List<ChildProcess> _clones = [];
    private readonly List<string> _failures = [];
    private ChildProcess? _pager;

    public RestoreMode Mode => mode;

    /// <summary>The clones, for the live view.</summary>
    public IReadOnlyList<ChildProcess> Clones => _clones;

    /// <summary>The pager, or null where there is none.</summary>
    public ChildProcess? Pager => _pager;

    public async Task<RunResult> ExecuteAsync(CancellationToken cancellation)
    {
        using CancellationTokenRegistration killing = cancellation.Register(KillAll);
        await StartAsync(cancellation).ConfigureAwait(false);
        var sampler = new MemorySampler(Processes());
        bool wantsMemory = plan.Options.ReportPath is not null;
        foreach (ChildProcess clone in _clones)
        {
            clone.Send(RunWord.Go);
        }

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

        foreach (ChildProcess process in Processes())
        {
            process.Send(RunWord.Measure);
        }

        await Task.WhenAll(_clones.Select(static clone => clone.Measured)).ConfigureAwait(false);
        PagerReport? report = await FinishAsync().ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        await ExplainLossesAsync().ConfigureAwait(false);
        return await new RunSummary(plan, mode, _clones, report, _failures, sampler.Samples).CreateAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        KillAll();
        foreach (ChildProcess process in Processes())
        {
            await process.DisposeAsync().ConfigureAwait(false);
        }
    }

    private List<ChildProcess> Processes() => _pager is null ? _clones : [.. _clones, _pager];

    private async Task StartAsync(CancellationToken cancellation)
    {
        if (mode.HasPager())
        {
            _pager = ChildProcess.Start(ChildCommand.Pager);
            _pager.SendJob(plan.PagerJob(), ProcessJson.Default.PagerJob);
        }

        for (int i = 0; i < plan.Options.Clones; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            _clones.Add(ChildProcess.Start(ChildCommand.Clone));
        }

        if (_pager is not null && !await _pager.Ready.ConfigureAwait(false))
        {
            cancellation.ThrowIfCancellationRequested();
            throw new ToolException(ExitCode.Failed, await _pager.ExplainEndAsync("pager").ConfigureAwait(false));
        }

        for (int i = 0; i < _clones.Count; i++)
        {
            _clones[i].SendJob(plan.CloneJob(i, mode), ProcessJson.Default.CloneJob);
        }

        bool[] ready = await Task.WhenAll(_clones.Select(static clone => clone.Ready)).ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        int lost = Array.IndexOf(ready, false);
        if (lost >= 0)
        {
            throw new ToolException(ExitCode.Failed, await _clones[lost].ExplainEndAsync($"clone {lost}").ConfigureAwait(false));
        }
    }

    private async Task WaitUntilDoneAsync(CancellationToken cancellation)
    {
        Task done = Task.WhenAll(_clones.Select(static clone => clone.Done));
        while (!done.IsCompleted)
        {
            await Task.WhenAny(done, Task.Delay(TimeSpan.FromSeconds(1), cancellation)).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
            if (_pager is { Ended.IsCompleted: true })
            {
                throw new ToolException(ExitCode.Failed, await _pager.ExplainEndAsync("pager").ConfigureAwait(false));
            }

            if (!done.IsCompleted && _clones.Min(static clone => clone.Silence) > LongestSilence)
            {
                throw new ToolException(ExitCode.Failed, $"No clone got any further for {LongestSilence.TotalSeconds:0} seconds, so the run was ended.");
            }
        }
    }

    /// <summary>Ends the clones first, so that the pager sees them go, and then the pager.</summary>
    private async Task<PagerReport?> FinishAsync()
    {
        foreach (ChildProcess clone in _clones)
        {
            clone.Send(RunWord.Finish);
        }

        await Task.WhenAll(_clones.Select(static clone => clone.Ended)).ConfigureAwait(false);
        if (_pager is null)
        {
            return null;
        }

        _pager.Send(RunWord.Finish);
        PagerReport? report = await _pager.LastReport.ConfigureAwait(false);
        await _pager.Ended.ConfigureAwait(false);
        return report;
    }

    private async Task ExplainLossesAsync()
    {
        for (int i = 0; i < _clones.Count; i++)
        {
            if (await _clones[i].Measured.ConfigureAwait(false) is null)
            {
                _failures.Add(await _clones[i].ExplainEndAsync($"clone {i}").ConfigureAwait(false));
            }
        }

        if (_pager is not null && await _pager.LastReport.ConfigureAwait(false) is null)
        {
            _failures.Add(await _pager.ExplainEndAsync("pager").ConfigureAwait(false));
        }
    }

    private void KillAll()
    {
        foreach (ChildProcess process in Processes())
        {
            process.Kill();
        }
    }
}
