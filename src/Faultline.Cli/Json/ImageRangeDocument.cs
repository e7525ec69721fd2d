namespace Faultline.Cli.Json;

/// <summary>A part of an image.</summary>
internal sealed record ImageRangeDocument(ulong OffsetBytes, ulong LengthBytes);
