using System;

namespace Faultline.Paging;

/// <summary>What is told of a load that has ended: its activity, its time, and a message if it failed. No lock is held.</summary>
internal static class LoadEnding
{
    /// <summary>A load's read has ended, in time or not.</summary>
    public static void TellRead(PagerCore core, PageLoad load)
    {
        if (load.ReadBegunAt != 0 && PagerMetrics.StoreReadDuration.Enabled)
        {
            PagerMetrics.StoreReadDuration.Record(core.Seconds(load.ReadBegunAt, core.Now()), core.NameTag, new(TelemetryTag.Image, load.Table.Image.Name));
        }
    }

    /// <summary>A load has ended.</summary>
    public static void Tell(PagerCore core, PageLoad load, Exception? cause)
    {
        PagerTraces.EndLoad(load.TakeActivity(), cause is null ? PagerTraces.Ok : PagerTraces.Failed, cause);
        if (cause is not null)
        {
            core.Log.LoadFailed(load.Table.Image.Name, load.Table.OffsetOf(load.First), (ulong)load.Count * (ulong)load.Table.PageBytes, cause);
        }
    }

    /// <summary>A load was given back, for want of room.</summary>
    public static void TellGivenBack(PageLoad load) => PagerTraces.EndLoad(load.TakeActivity(), PagerTraces.NoRoom, cause: null);

    /// <summary>A load was given up before its activity was known.</summary>
    public static void TellLate(PageLoad load) => PagerTraces.EndLoad(load.TakeActivity(), PagerTraces.Overdue, cause: null);

    /// <summary>Tells of the loads that were given up, of which <paramref name="worker"/> has taken note.</summary>
    public static void TellAbandoned(PagerCore core, FaultWorker worker, Exception cause)
    {
        foreach (AbandonedLoad load in worker.Abandoned)
        {
            PagerTraces.EndLoad(load.Activity, PagerTraces.Overdue, cause);
            if (cause is TimeoutException)
            {
                core.Log.LoadOverdue(load.Image, load.Offset, load.Length, core.Options.LoadDeadline);
            }
        }

        worker.Abandoned.Clear();
    }
}
