namespace Faultline.Cli.Json;

/// <summary>A schedule under which a scenario fails; <see cref="Replay"/> runs it again.</summary>
internal sealed record RaceFailureDocument(string Kind, string Message, string Replay, int Preemptions);
