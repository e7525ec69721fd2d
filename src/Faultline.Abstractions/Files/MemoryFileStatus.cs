namespace Faultline;

/// <summary>The size of a memory file and what it occupies.</summary>
/// <param name="Size">The size in bytes.</param>
/// <param name="Blocks">What its pages take, in units of 512 bytes (fstat(2): <c>st_blocks</c>).</param>
public readonly record struct MemoryFileStatus(ulong Size, ulong Blocks);
