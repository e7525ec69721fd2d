using System;
using System.Diagnostics;

namespace Faultline.Paging;

/// <summary>The activities. There are none, and they cost nothing, while nobody listens.</summary>
internal static class PagerTraces
{
    public const string LoadName = "faultline.load";
    public const string ReplayName = "faultline.replay";
    public const string SnapshotName = "faultline.snapshot";
    public const string Ok = "ok";
    public const string Failed = "failed";
    public const string Overdue = "overdue";
    public const string NoRoom = "no_room";

    public static readonly ActivitySource Source =
        new(PagingTelemetry.ActivitySourceName, typeof(PagerTraces).Assembly.GetName().Version?.ToString(3));

    /// <summary>Begins the activity of a load, as the current one, so that a store's requests belong to it.</summary>
    public static Activity? BeginLoad(PageLoad load)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        PagedImage image = load.Table.Image;
        ActivityContext parent = Activity.Current is null ? image.TraceContext : default;
        Activity? activity = Source.StartActivity(LoadName, ActivityKind.Internal, parent);
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag(TelemetryTag.Image, image.Name);
            activity.SetTag(TelemetryTag.Offset, (long)load.Table.OffsetOf(load.First));
            activity.SetTag(TelemetryTag.Length, (long)load.Count * load.Table.PageBytes);
            activity.SetTag(TelemetryTag.Guess, load.IsGuess);
            activity.SetTag(TelemetryTag.Store, image.Store.GetType().Name);
        }

        return activity;
    }

    /// <summary>Begins an activity that goes on beside its caller: it does not become the current one.</summary>
    public static Activity? BeginBeside(string name, ActivityContext parent = default)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        Activity? before = Activity.Current;
        Activity? activity = Source.StartActivity(name, ActivityKind.Internal, before is null ? parent : default);
        Activity.Current = before;
        return activity;
    }

    /// <summary>Ends an activity begun by <see cref="BeginBeside"/>.</summary>
    public static void EndBeside(Activity? activity)
    {
        if (activity is not null)
        {
            Activity? before = Activity.Current;
            activity.Stop();
            Activity.Current = before;
        }
    }

    /// <summary>Ends the activity of a load.</summary>
    public static void EndLoad(Activity? activity, string outcome, Exception? cause)
    {
        if (activity is null)
        {
            return;
        }

        if (activity.IsAllDataRequested)
        {
            activity.SetTag(TelemetryTag.Outcome, outcome);

            // A store that makes several requests says how many.
            if (outcome != NoRoom && activity.GetTagItem(TelemetryTag.Attempts) is null)
            {
                activity.SetTag(TelemetryTag.Attempts, 1);
            }
        }

        if (cause is not null)
        {
            activity.SetTag(TelemetryTag.Error, cause.GetType().Name);
            activity.SetStatus(ActivityStatusCode.Error, cause.Message);
        }

        Activity? current = Activity.Current;
        activity.Stop();
        Activity.Current = ReferenceEquals(current, activity) ? activity.Parent : current;
    }
}
