namespace Faultline.Cli.Json;

/// <summary>A part of memory in a core dump.</summary>
internal sealed record CoreSegmentDocument(string Address, ulong OffsetBytes, ulong LengthBytes, ulong FileBytes);
