namespace Faultline.Cli.Json;

/// <summary>A part of an image that cannot be read.</summary>
internal sealed record ImageDamageDocument(ulong OffsetBytes, ulong LengthBytes, string Reason);
