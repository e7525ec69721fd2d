using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Cli.Json;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Processes;

/// <summary>A run on the kernel: every clone is a process of its own, and so is the pager. A pager that dies ends the run.</summary>
internal sealed class ProcessRun(RestorePlan plan, RestoreMode mode) : RestoreRun(plan, mode)
{
    private readonly List<ChildProcess> _clones = [];
    private ChildProcess? _pager;

    public override IReadOnlyList<IRunClone> Clones => _clones;

    public override PagerReport? Report => _pager?.Report;

    public override async ValueTask DisposeAsync()
    {
        Stop();
        foreach (ChildProcess process in Processes())
        {
            await process.DisposeAsync().ConfigureAwait(false);
        }
    }

    protected override async Task StartAsync(CancellationToken cancellation)
    {
        if (Mode.HasPager())
        {
            _pager = ChildProcess.Start(ChildCommand.Pager);
            _pager.SendJob(Plan.PagerJob(Mode), ProcessJson.Default.PagerJob);
        }

        for (int i = 0; i < Plan.Options.Clones; i++)
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
            _clones[i].SendJob(Plan.CloneJob(i, Mode), ProcessJson.Default.CloneJob);
        }

        bool[] ready = await Task.WhenAll(_clones.Select(static clone => clone.Ready)).ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        int lost = Array.IndexOf(ready, false);
        if (lost >= 0)
        {
            throw new ToolException(ExitCode.Failed, await _clones[lost].ExplainEndAsync($"clone {lost}").ConfigureAwait(false));
        }
    }

    protected override void Tell(string word)
    {
        foreach (ChildProcess process in word == RunWord.Go ? _clones : Processes())
        {
            process.Send(word);
        }
    }

    protected override async Task CheckAsync()
    {
        if (_pager is { Ended.IsCompleted: true })
        {
            throw new ToolException(ExitCode.Failed, await _pager.ExplainEndAsync("pager").ConfigureAwait(false));
        }
    }

    protected override async Task<SnapshotDocument> SaveAsync()
    {
        _pager!.Send(string.Create(CultureInfo.InvariantCulture, $"{RunWord.Save} {_clones[0].ProcessId}"));
        return await _pager.Saved.ConfigureAwait(false) ?? SnapshotWork.Missing(Plan.Options.SnapshotPath!);
    }

    protected override async Task<PagerReport?> FinishAsync()
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

    protected override async Task<IReadOnlyList<string>> ExplainLossesAsync()
    {
        var losses = new List<string>();
        for (int i = 0; i < _clones.Count; i++)
        {
            if (await _clones[i].Measured.ConfigureAwait(false) is null)
            {
                losses.Add(await _clones[i].ExplainEndAsync($"clone {i}").ConfigureAwait(false));
            }
        }

        if (_pager is not null && await _pager.LastReport.ConfigureAwait(false) is null)
        {
            losses.Add(await _pager.ExplainEndAsync("pager").ConfigureAwait(false));
        }

        return losses;
    }

    protected override long MemoryBytes()
    {
        long total = 0;
        foreach (ChildProcess process in Processes())
        {
            total += ProcessFigures.Of(process.ProcessId).PssBytes;
        }

        return total;
    }

    protected override void Stop()
    {
        foreach (ChildProcess process in Processes())
        {
            process.Kill();
        }
    }

    private List<ChildProcess> Processes() => _pager is null ? _clones : [.. _clones, _pager];
}
