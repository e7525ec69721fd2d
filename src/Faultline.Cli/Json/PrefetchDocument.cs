namespace Faultline.Cli.Json;

/// <summary>What the pager guessed by itself, and what became of it. Pages and loads of all clones together.</summary>
internal sealed record PrefetchDocument
{
    public required long PagesGuessed { get; init; }

    /// <summary>Pages of those that were installed for a fault.</summary>
    public required long GuessedAndUsed { get; init; }

    public required long GuessedAndUnused { get; init; }

    /// <summary>Faults that found their page brought, or being brought, by a guess.</summary>
    public required long LoadsAvoided { get; init; }
}
