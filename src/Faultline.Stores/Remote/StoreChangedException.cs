using System.IO;

namespace Faultline.Stores;

/// <summary>What a store was opened on is not there any more: something else is. No retry helps, and nothing of the new is ever given as the old.</summary>
/// <param name="store">The address, without anything secret.</param>
/// <param name="was">What it was known by.</param>
/// <param name="now">What is known of what is there now.</param>
public sealed class StoreChangedException(string store, string was, string now)
    : IOException($"{store} was changed while it was in use: it was {was}, and is {now}.")
{
    /// <summary>The address.</summary>
    public string Store { get; } = store;
}
