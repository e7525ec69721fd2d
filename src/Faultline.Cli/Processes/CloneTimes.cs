namespace Faultline.Cli.Processes;

/// <summary>The times of a clone since its go-signal.</summary>
internal sealed record CloneTimes(double FirstByteMs, double DoneMs);
