using System;

namespace Faultline.Paging;

/// <summary>How much of each image is kept in memory, and what leaves it.</summary>
/// <param name="Bytes">
/// The most bytes of one image in memory, counted once however many clients map it; at least twice <see cref="PagerOptions.LoadBytes"/>. Pages that a private
/// mapping has written are the client's own and are not counted.
/// </param>
public sealed record MemoryBudget(ulong Bytes)
{
    /// <summary>
    /// How much of the budget a thread in the background tries to keep free, so that faults need not wait for room: it begins when half of this is left. Null
    /// chooses by the budget; zero leaves evicting to the faults.
    /// </summary>
    public ulong? HeadroomBytes { get; init; }

    /// <summary>Makes the policy of an image; null for <see cref="ClockEviction"/>.</summary>
    public Func<IEvictionPolicy>? Policy { get; init; }

    /// <summary>Why this cannot be a budget, or null.</summary>
    internal string? Fault(int loadBytes) =>
        Bytes < 2UL * (ulong)loadBytes ? $"The budget is {Bytes} bytes; it must be at least twice LoadBytes ({loadBytes})."
        : HeadroomBytes > Bytes / 2 ? $"HeadroomBytes is {HeadroomBytes}; it must be at most half of the budget of {Bytes} bytes."
        : null;
}
