using System.Text.Json.Serialization;

namespace Faultline.Cli.Json;

/// <summary>The same work done in other ways; what was not asked for is absent.</summary>
internal sealed record CompareDocument
{
    [JsonIgnore]
    public bool IsEmpty => this is { Copy: null, Eager: null, Mmap: null, MmapNotAvailable: null };

    /// <summary>Missing faults resolved by UFFDIO_COPY into anonymous memory.</summary>
    public RunDocument? Copy { get; set; }

    /// <summary>Every clone reads the whole image first.</summary>
    public RunDocument? Eager { get; set; }

    /// <summary>Plain <c>mmap(MAP_PRIVATE)</c> of the file, without userfaultfd.</summary>
    public RunDocument? Mmap { get; set; }

    /// <summary>One sentence if plain <c>mmap</c> was asked for and cannot be had on the engine of the run.</summary>
    public string? MmapNotAvailable { get; set; }
}
