namespace Faultline.Bench;

/// <summary>The same clones served in other ways.</summary>
/// <param name="Copy">UFFDIO_COPY into anonymous memory.</param>
/// <param name="Eager">Every clone reads the whole image first.</param>
/// <param name="Mmap">Plain <c>mmap(MAP_PRIVATE)</c> of the file.</param>
public sealed record RestoreComparisons(RestoreRow Copy, RestoreRow Eager, RestoreRow Mmap);
