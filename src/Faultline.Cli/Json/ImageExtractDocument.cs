namespace Faultline.Cli.Json;

/// <summary>What <c>image extract</c> prints with <c>--json</c>.</summary>
internal sealed record ImageExtractDocument(string Image, string File, ulong LengthBytes, double Ms);
