using System.Collections.Generic;

namespace Faultline.Cli.Telemetry;

/// <summary>One row of the meter: a number, or the times measured so far.</summary>
/// <param name="Name">The instrument; docs/observability.md says what it means.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Tags">Its attributes, but for the pager's name.</param>
internal sealed record MetricReading(string Name, string Unit, IReadOnlyDictionary<string, string> Tags)
{
    /// <summary>The count or level; for times, how many there were.</summary>
    public required double Value { get; init; }

    /// <summary>In seconds; null unless it is a row of times.</summary>
    public double? P50 { get; init; }

    /// <summary>In seconds; null unless it is a row of times.</summary>
    public double? P99 { get; init; }

    /// <summary>In seconds; null unless it is a row of times.</summary>
    public double? Max { get; init; }
}
