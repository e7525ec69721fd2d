namespace Faultline.Cli.Json;

/// <summary>What a command prints with <c>--json</c> when it could not be carried out; the same sentence is on standard error.</summary>
internal sealed record ErrorDocument(string Error, int ExitCode);
