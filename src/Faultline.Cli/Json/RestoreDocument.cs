namespace Faultline.Cli.Json;

/// <summary>
/// What <c>restore</c> and <c>quickstart</c> print with <c>--json</c>: the run through minor faults, how it was asked for, and the comparisons.
/// </summary>
internal sealed record RestoreDocument : RunDocument
{
    public required string Command { get; init; }

    /// <summary><c>linux</c> or <c>managed</c>.</summary>
    public required string Engine { get; init; }

    /// <summary>One sentence, or absent: what there is to say about the engine.</summary>
    public string? EngineNote { get; init; }

    public required string Image { get; init; }

    public required string Pattern { get; init; }

    public required double TouchPercent { get; init; }

    public required double WritePercent { get; init; }

    public required int Handlers { get; init; }

    public required ulong Seed { get; init; }

    /// <summary><c>passed</c>, <c>failed</c>, or <c>not asked</c>.</summary>
    public required string Verification { get; init; }

    /// <summary>The page that was written, or null.</summary>
    public string? Report { get; init; }

    public required CompareDocument Compare { get; init; }
}
