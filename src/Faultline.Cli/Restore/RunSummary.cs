using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Faultline.Cli.Json;
using Faultline.Cli.Processes;

namespace Faultline.Cli.Restore;

/// <summary>Puts together what the clones and the pager of a run said.</summary>
internal sealed class RunSummary(
    RestorePlan plan,
    RestoreMode mode,
    IReadOnlyList<IRunClone> clones,
    PagerReport? pager,
    List<string> failures,
    IReadOnlyList<MemorySample> memory)
{
    /// <summary>PSS of processes that are no clone's and no pager's alone.</summary>
    public long SharedProcessPssBytes { get; init; }

    /// <summary>What was saved, or null.</summary>
    public SnapshotDocument? Saved { get; init; }

    public async Task<RunResult> CreateAsync()
    {
        var documents = new List<CloneDocument>();
        var maps = new List<PageMap?>();
        long ownBytes = 0;
        long ownReads = 0;
        long used = 0;
        long unused = 0;
        for (int i = 0; i < clones.Count; i++)
        {
            CloneMeasurement? measured = await clones[i].Measured.ConfigureAwait(false);
            documents.Add(Describe(i, clones[i].ProcessId, await clones[i].Done.ConfigureAwait(false), measured));
            maps.Add(measured?.Map);
            ownBytes += measured?.OwnStoreBytes ?? 0;
            ownReads += measured?.OwnStoreReads ?? 0;
            used += measured?.GuessedAndUsed ?? 0;
            unused += measured?.GuessedAndUnused ?? 0;
        }

        failures.AddRange(documents.Where(static clone => clone.Failure is not null).Select(static clone => $"Clone {clone.Index}: {clone.Failure}"));
        if (pager?.Mismatch is { } mismatch)
        {
            failures.Add(mismatch);
        }

        var document = new RunDocument
        {
            Mode = mode.Word(),
            Verified = plan.Options.Verify && failures.Count == 0,
            Clones = clones.Count,
            ImageBytes = plan.Image.LengthBytes,
            TotalPssBytes = documents.Sum(static clone => clone.PssBytes) + (pager?.ImagePssBytes ?? 0),
            TotalRssBytes = documents.Sum(static clone => clone.RssBytes),
            TotalProcessPssBytes = documents.Sum(static clone => clone.ProcessPssBytes) + (pager?.ProcessPssBytes ?? 0) + SharedProcessPssBytes,
            MinorFaults = pager?.MinorFaults ?? 0,
            MissingFaults = pager?.MissingFaults ?? 0,
            TimeToFirstByteMs = documents.Max(static clone => clone.TimeToFirstByteMs),
            TimeToDoneMs = documents.Max(static clone => clone.TimeToDoneMs),
            StoreBytes = (pager?.StoreBytes ?? 0) + ownBytes,
            StoreReads = (pager?.StoreReads ?? 0) + ownReads,
            Latency = pager is null ? null : new LatencyDocument(pager.LatencyCount, pager.P50Us, pager.P99Us, pager.MaxUs),
            WorkingSet = WorkingSetOf(used, unused),
            Metrics = pager?.Metrics,
            Snapshot = Saved,
            Prefetch = PrefetchOf(pager),
            PerClone = documents,
            Failures = failures,
        };
        return new RunResult
        {
            Mode = mode,
            Document = document,
            PageMaps = maps,
            Memory = memory,
            Latencies = pager?.Latencies ?? [],
            NotSent = pager?.NotSent,
        };
    }

    private static PrefetchDocument? PrefetchOf(PagerReport? pager) => pager is null ? null : new PrefetchDocument
    {
        PagesGuessed = pager.PagesGuessed,
        GuessedAndUsed = pager.PagesGuessedUsed,
        GuessedAndUnused = pager.PagesGuessed - pager.PagesGuessedUsed,
        LoadsAvoided = pager.LoadsAvoided,
    };

    private WorkingSetDocument? WorkingSetOf(long used, long unused)
    {
        if (pager?.WorkingSet is not { } report)
        {
            return null;
        }

        RestoreOptions options = plan.Options;
        bool isRecorded = options.RecordPath is not null;
        bool isReplayed = options.ReplayPath is not null;
        long expected = report.ReplayTouches * clones.Count;
        return new WorkingSetDocument
        {
            Record = options.RecordPath,
            RecordedTouches = isRecorded ? report.RecordedTouches : null,
            RecordedPages = isRecorded ? report.RecordedPages : null,
            Replay = options.ReplayPath,
            PagesLoaded = isReplayed ? report.PagesLoaded : null,
            PagesInstalled = isReplayed ? report.PagesInstalled : null,
            GuessedAndUsed = isReplayed ? used : null,
            GuessedAndUnused = isReplayed ? unused : null,
            FaultsAvoided = expected == 0 ? null : Math.Round(1 - ((double)(pager.MinorFaults + pager.MissingFaults) / expected), 4),
        };
    }

    private CloneDocument Describe(int clone, int processId, CloneTimes? times, CloneMeasurement? measured) => new()
    {
        Index = clone,
        Pid = processId,
        Verified = plan.Options.Verify && measured is { Mismatch: null },
        Failure = measured?.Mismatch,
        TimeToFirstByteMs = Math.Round(times?.FirstByteMs ?? 0, 3),
        TimeToDoneMs = Math.Round(times?.DoneMs ?? 0, 3),
        MinorFaults = pager?.CloneMinorFaults[clone] ?? 0,
        MissingFaults = pager?.CloneMissingFaults[clone] ?? 0,
        KernelFaults = measured?.KernelFaults ?? 0,
        PagesTouched = measured?.Touched ?? 0,
        PagesWritten = measured?.Written ?? 0,
        PagesResident = measured?.Resident ?? 0,
        RssBytes = measured?.RssBytes ?? 0,
        PssBytes = measured?.PssBytes ?? 0,
        ProcessRssBytes = measured?.ProcessRssBytes ?? 0,
        ProcessPssBytes = measured?.ProcessPssBytes ?? 0,
    };
}
