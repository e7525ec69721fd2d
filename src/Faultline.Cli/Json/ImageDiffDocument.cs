using System.Collections.Generic;

namespace Faultline.Cli.Json;

/// <summary>What <c>image diff</c> prints with <c>--json</c>.</summary>
internal sealed record ImageDiffDocument
{
    public required string Left { get; init; }

    public required string Right { get; init; }

    public required bool Equal { get; init; }

    public required ulong DifferentBytes { get; init; }

    /// <summary>How fine the comparison is.</summary>
    public required int StepBytes { get; init; }

    /// <summary>Whether the indexes of two images told, without their contents being read.</summary>
    public required bool ByIndex { get; init; }

    public required long RangeCount { get; init; }

    /// <summary>The first thousand.</summary>
    public required IReadOnlyList<ImageRangeDocument> Ranges { get; init; }
}
