namespace Faultline.Cli.Restore;

/// <summary>The memory of a run at one moment.</summary>
/// <param name="TimeMs">Since the go-signal.</param>
/// <param name="PssBytes">PSS of all its processes, or the frames the managed engine has in use; less what it was before the go-signal.</param>
internal readonly record struct MemorySample(double TimeMs, long PssBytes);
