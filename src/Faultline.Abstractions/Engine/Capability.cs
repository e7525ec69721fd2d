namespace Faultline;

/// <summary>One thing an engine can or cannot do here.</summary>
/// <param name="IsAvailable">Whether it works.</param>
/// <param name="Reason">Empty if it works; else one sentence: what is missing, and the way to get it.</param>
public readonly record struct Capability(bool IsAvailable, string Reason)
{
    /// <summary>It works.</summary>
    public static Capability Yes => new(true, string.Empty);

    /// <summary>It does not work, for <paramref name="reason"/>.</summary>
    public static Capability No(string reason) => new(false, reason);
}
