namespace Faultline.Paging;

/// <summary>The names to listen to. docs/observability.md lists what there is under them.</summary>
public static class PagingTelemetry
{
    /// <summary>The meter of pagers, and of the requests that network stores make for them.</summary>
    public const string MeterName = "Faultline.Paging";

    /// <summary>The source of activities: loads, replays, snapshots.</summary>
    public const string ActivitySourceName = "Faultline.Paging";

    /// <summary>The category of log messages.</summary>
    public const string LogCategory = "Faultline.Paging";
}
