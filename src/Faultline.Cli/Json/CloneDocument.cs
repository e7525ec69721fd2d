using System.Text.Json.Serialization;

namespace Faultline.Cli.Json;

/// <summary>What one clone did and holds. Amounts are in bytes, times in milliseconds since the go-signal.</summary>
internal sealed record CloneDocument
{
    /// <summary>The number of the clone, from 0.</summary>
    [JsonPropertyName("clone")]
    public required int Index { get; init; }

    /// <summary>Its process.</summary>
    public required int Pid { get; init; }

    /// <summary>Whether it finished and everything it read was right; false too if that was not asked for.</summary>
    public required bool Verified { get; init; }

    /// <summary>Null, or one sentence: why the clone did not finish, or what was wrong.</summary>
    public string? Failure { get; init; }

    public double TimeToFirstByteMs { get; init; }

    public double TimeToDoneMs { get; init; }

    /// <summary>Userfaults on pages that were in the page cache, as the pager counted them.</summary>
    public long MinorFaults { get; init; }

    /// <summary>Userfaults on pages that were nowhere yet, as the pager counted them.</summary>
    public long MissingFaults { get; init; }

    /// <summary>Page faults of the touching thread, as the kernel counted them (getrusage(2)).</summary>
    public long KernelFaults { get; init; }

    /// <summary>Accesses made.</summary>
    public long PagesTouched { get; init; }

    /// <summary>Pages of its own, because it wrote to them.</summary>
    public long PagesWritten { get; init; }

    /// <summary>Pages present in its mapping.</summary>
    public long PagesResident { get; init; }

    /// <summary>RSS of the image mapping.</summary>
    public long RssBytes { get; init; }

    /// <summary>PSS of the image mapping.</summary>
    public long PssBytes { get; init; }

    /// <summary>RSS of the whole process, the .NET runtime included.</summary>
    public long ProcessRssBytes { get; init; }

    /// <summary>PSS of the whole process.</summary>
    public long ProcessPssBytes { get; init; }
}
