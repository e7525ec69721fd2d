using System.Text.Json;

namespace Faultline.Bench;

/// <summary>Reports as JSON documents.</summary>
public static class ReportJson
{
    /// <summary>One JSON document.</summary>
    public static string Write(FaultReport report) => JsonSerializer.Serialize(report, ReportJsonContext.Default.FaultReport);

    /// <summary>One JSON document.</summary>
    public static string Write(RestoreReport report) => JsonSerializer.Serialize(report, ReportJsonContext.Default.RestoreReport);

    /// <summary>One JSON document.</summary>
    public static string Write(PagingReport report) => JsonSerializer.Serialize(report, ReportJsonContext.Default.PagingReport);

    /// <summary>One JSON document.</summary>
    public static string Write(MmReport report) => JsonSerializer.Serialize(report, ReportJsonContext.Default.MmReport);
}
