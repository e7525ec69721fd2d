namespace Faultline.Stores;

/// <summary>A part of memory that a core dump holds.</summary>
/// <param name="Address">Where it was in the process.</param>
/// <param name="ImageOffset">Where it is in the image.</param>
/// <param name="Length">Its length in memory.</param>
/// <param name="FileOffset">Where its contents are in the file.</param>
/// <param name="FileLength">How many bytes of it the file has; the rest is zero.</param>
public readonly record struct CoreSegment(ulong Address, ulong ImageOffset, ulong Length, ulong FileOffset, ulong FileLength);
