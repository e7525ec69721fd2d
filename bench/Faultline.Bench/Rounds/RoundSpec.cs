namespace Faultline.Bench;

/// <summary>One round: what, how, how much and where.</summary>
/// <param name="Kind">What happens at each fault.</param>
/// <param name="Style">How the handler waits.</param>
/// <param name="Pages">The pages touched, one after the other.</param>
/// <param name="Range">The pages installed at each fault.</param>
/// <param name="Placement">Where the threads run.</param>
internal readonly record struct RoundSpec(RoundKind Kind, ReadStyle Style, int Pages, int Range, Placement Placement)
{
    /// <summary>The bytes touched.</summary>
    public ulong Length => (ulong)Pages * PageSize.Small;
}
