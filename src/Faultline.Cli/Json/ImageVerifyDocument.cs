using System.Collections.Generic;

namespace Faultline.Cli.Json;

/// <summary>What <c>image verify</c> prints with <c>--json</c>.</summary>
internal sealed record ImageVerifyDocument
{
    public required string Image { get; init; }

    public required bool Sound { get; init; }

    public string? Digest { get; init; }

    public required ulong LengthBytes { get; init; }

    /// <summary>What cannot be read, the first thousand of it.</summary>
    public required IReadOnlyList<ImageDamageDocument> Damages { get; init; }

    public required double Ms { get; init; }
}
