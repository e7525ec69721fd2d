namespace Faultline.Paging;

/// <summary>What an <see cref="IEvictionPolicy"/> sees: the chunks of one image. Valid only while the policy is being called.</summary>
public sealed class EvictionView
{
    private readonly CacheChunks _chunks;

    internal EvictionView(CacheChunks chunks) => _chunks = chunks;

    /// <summary>The number of chunks, in memory or not.</summary>
    public int ChunkCount => _chunks.Count;

    /// <summary>The size of a chunk in bytes: that of one load, <see cref="PagerOptions.LoadBytes"/>.</summary>
    public int ChunkBytes => _chunks.ChunkPages * (int)PageSize.Small;

    /// <summary>Finds the next chunk of which something is in memory.</summary>
    /// <param name="chunk">Where to begin; it may be the answer.</param>
    /// <returns>The chunk, or -1 if there is none up to the end.</returns>
    public int NextResident(int chunk) => _chunks.NextResident(chunk);

    /// <summary>Whether a chunk could go now: something of it is in memory, no lease holds it, and nothing of it is on its way in or out.</summary>
    /// <param name="chunk">The chunk.</param>
    public bool MayEvict(int chunk) => _chunks.MayEvict(chunk);

    /// <summary>Whether a chunk was written and the store has not got it yet: it goes only after that.</summary>
    /// <param name="chunk">The chunk.</param>
    public bool IsWritten(int chunk) => _chunks.IsWritten(chunk);

    /// <summary>
    /// Whether a chunk was used since this was asked last: brought, installed in a client, or leased. The answer is then forgotten. Touches of
    /// pages that are mapped are seen after <see cref="Watch"/> only.
    /// </summary>
    /// <param name="chunk">The chunk.</param>
    public bool TakeUsed(int chunk) => _chunks.TakeUsed(chunk);

    /// <summary>
    /// Asks to be told of the next touch of a chunk, by <see cref="TakeUsed"/>. Its pages stay in memory, and the touch costs one minor fault. Does
    /// nothing for clients in other processes, whose page tables are out of reach.
    /// </summary>
    /// <param name="chunk">The chunk.</param>
    public void Watch(int chunk) => _chunks.Watch(chunk);
}
