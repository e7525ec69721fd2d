namespace Faultline.Cli.Processes;

/// <summary>What the pager recorded, and what it brought ahead.</summary>
internal sealed record WorkingSetReport
{
    public required long RecordedTouches { get; init; }

    public required long RecordedPages { get; init; }

    /// <summary>Touches in the working set that was replayed: the faults of each clone without it.</summary>
    public required long ReplayTouches { get; init; }

    public required long PagesLoaded { get; init; }

    /// <summary>In all clones together.</summary>
    public required long PagesInstalled { get; init; }
}
