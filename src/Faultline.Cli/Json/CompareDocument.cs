namespace Faultline.Cli.Json;

/// <summary>The same work done in other ways; what was not asked for is absent.</summary>
internal sealed record CompareDocument
{
    /// <summary>Missing faults resolved by UFFDIO_COPY into anonymous memory.</summary>
    public RunDocument? Copy { get; set; }

    /// <summary>Every clone reads the whole image first.</summary>
    public RunDocument? Eager { get; set; }

    /// <summary>Plain <c>mmap(MAP_PRIVATE)</c> of the file, without userfaultfd.</summary>
    public RunDocument? Mmap { get; set; }
}
