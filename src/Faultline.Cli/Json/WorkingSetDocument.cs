namespace Faultline.Cli.Json;

/// <summary>What was recorded, and what bringing a recorded working set ahead was good for. Null where it was not asked for.</summary>
internal sealed record WorkingSetDocument
{
    /// <summary>The file written.</summary>
    public string? Record { get; init; }

    /// <summary>Faults written down: first touches, neighbours installed with them counted as one.</summary>
    public long? RecordedTouches { get; init; }

    public long? RecordedPages { get; init; }

    /// <summary>The file brought ahead.</summary>
    public string? Replay { get; init; }

    /// <summary>Pages of it that were brought into the cache.</summary>
    public long? PagesLoaded { get; init; }

    /// <summary>Pages installed ahead of a fault, in all clones together.</summary>
    public long? PagesInstalled { get; init; }

    /// <summary>Pages of it that a clone touched, over all clones.</summary>
    public long? GuessedAndUsed { get; init; }

    /// <summary>Pages of it that a clone did not touch, over all clones.</summary>
    public long? GuessedAndUnused { get; init; }

    /// <summary>Of the faults that were recorded, the part that did not happen: 1 - faults / (touches x clones).</summary>
    public double? FaultsAvoided { get; init; }
}
