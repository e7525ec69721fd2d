using System;

namespace Faultline.Paging;

/// <summary>Decides which chunks of an image leave memory first. Each image has one of its own.</summary>
/// <remarks>
/// Every member is called under the image's lock, by one thread at a time: it must be quick, must not call the pager, and must not throw. What a policy
/// names is a proposal. The pager takes out only what may go: nothing leased, nothing in flight, and nothing written that is not in the store yet.
/// </remarks>
public interface IEvictionPolicy
{
    /// <summary>Names chunks to evict, the least wanted first.</summary>
    /// <param name="chunks">What is in memory, and what is known of its use.</param>
    /// <param name="victims">Receives the chunks.</param>
    /// <returns>How many were named; zero if there is nothing that could go.</returns>
    int Choose(EvictionView chunks, Span<int> victims);

    /// <summary>The first page of a chunk has come into memory.</summary>
    /// <param name="chunk">The chunk.</param>
    void Brought(int chunk)
    {
    }

    /// <summary>A chunk has left memory.</summary>
    /// <param name="chunk">The chunk.</param>
    void Evicted(int chunk)
    {
    }
}
