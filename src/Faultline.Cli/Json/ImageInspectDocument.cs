using System.Collections.Generic;

namespace Faultline.Cli.Json;

/// <summary>What <c>image inspect</c> prints with <c>--json</c>.</summary>
internal sealed record ImageInspectDocument
{
    public required string Image { get; init; }

    /// <summary><c>flt</c>, <c>core</c> or <c>plain</c>.</summary>
    public required string Kind { get; init; }

    public required ulong LengthBytes { get; init; }

    /// <summary>The image, and the images below it; of a <c>.flt</c> only.</summary>
    public IReadOnlyList<ImageLayerDocument>? Layers { get; init; }

    /// <summary>What a core dump holds.</summary>
    public IReadOnlyList<CoreSegmentDocument>? Segments { get; init; }
}
