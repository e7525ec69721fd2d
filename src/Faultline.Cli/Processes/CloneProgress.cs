namespace Faultline.Cli.Processes;

/// <summary>How far a clone is: accesses made of those it will make.</summary>
internal sealed record CloneProgress(long Touched, long Planned);
