using System;
using System.Collections;
using System.IO;
using System.Linq;
using Faultline.Cli.Processes;
using Faultline.Paging;

namespace Faultline.Cli.Restore;

/// <summary>What the pager of a run does with working sets, wherever it lives.</summary>
internal sealed class WorkingSetWork : IDisposable
{
    private readonly PagerJob _job;
    private readonly WorkingSetRecorder? _recorder;
    private readonly WorkingSet? _set;
    private readonly WorkingSetReplay? _replay;

    public WorkingSetWork(PagedImage image, PagerJob job)
    {
        _job = job;
        _recorder = job.Record is null ? null : image.Record();
        if (job.Replay is { } path)
        {
            // With the first clone, not before: the time it takes is part of the run.
            _set = WorkingSet.Load(path);
            _replay = image.Replay(_set, start: ReplayStart.WithTheFirstClient);
        }
    }

    /// <summary>Checks that a working set can be used for an image.</summary>
    /// <exception cref="ToolException">It can't; the sentence says why.</exception>
    public static void Check(string path, long imageBytes)
    {
        try
        {
            var set = WorkingSet.Load(path);
            if (set.ImageBytes != (ulong)imageBytes)
            {
                throw ToolException.BadInput($"The working set {path} was recorded of an image of {set.ImageBytes} bytes; this one has {imageBytes}.");
            }
        }
        catch (InvalidDataException cause)
        {
            throw ToolException.BadInput($"{path} is no working set: {cause.Message.TrimEnd('.')}.");
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw ToolException.BadInput($"The working set {path} cannot be read: {Sentence.Of(cause)}");
        }
    }

    /// <summary>How many pages of a working set were touched.</summary>
    public static (long Used, long Unused) Compare(string path, BitArray touched)
    {
        long used = 0;
        long all = 0;
        foreach (PageTouch touch in WorkingSet.Load(path).Touches)
        {
            all += touch.Count;
            used += Enumerable.Range(touch.Page, touch.Count).LongCount(page => touched[page]);
        }

        return (used, all - used);
    }

    /// <summary>At the end of the run: writes what was recorded, and tells what was replayed.</summary>
    public WorkingSetReport? Finish()
    {
        if (_recorder is null && _replay is null)
        {
            return null;
        }

        var recorded = _recorder?.ToWorkingSet();
        recorded?.Save(_job.Record!);
        return new WorkingSetReport
        {
            RecordedTouches = recorded?.Touches.Count ?? 0,
            RecordedPages = recorded?.Touches.Sum(static touch => (long)touch.Count) ?? 0,
            ReplayTouches = _set?.Touches.Count ?? 0,
            PagesLoaded = _replay?.PagesLoaded ?? 0,
            PagesInstalled = _replay?.PagesInstalled ?? 0,
        };
    }

    public void Dispose()
    {
        _replay?.Dispose();
        _recorder?.Dispose();
    }
}
