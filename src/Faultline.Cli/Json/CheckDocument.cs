namespace Faultline.Cli.Json;

/// <summary>One thing that was looked at.</summary>
/// <param name="Name">What, as the kernel calls it.</param>
/// <param name="Value">What was found.</param>
/// <param name="Ok">Whether that is as it should be.</param>
/// <param name="Required">Whether the main job cannot run without it.</param>
/// <param name="Advice">Null if it is as it should be; else one sentence: what is lost, and the way to get it.</param>
internal sealed record CheckDocument(string Name, string Value, bool Ok, bool Required, string? Advice);
