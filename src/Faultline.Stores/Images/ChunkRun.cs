namespace Faultline.Stores;

/// <summary>Chunks in a row that lie one after another in one file, so that one read brings all of them.</summary>
/// <param name="Owner">The image whose file holds them: the one read, or one below it.</param>
/// <param name="FirstChunk">The first of them.</param>
/// <param name="Count">How many they are.</param>
/// <param name="FileOffset">Where they begin in the file.</param>
/// <param name="FileLength">How many bytes they take there.</param>
internal readonly record struct ChunkRun(ImagePageStore Owner, long FirstChunk, int Count, ulong FileOffset, int FileLength)
{
    /// <summary>The most bytes that one read of a file brings, unless a single chunk takes more.</summary>
    private const int MostBytes = 4 << 20;

    /// <summary>The run with one more chunk, if that is its neighbour in the image and in the file.</summary>
    public bool TryJoin(ImagePageStore owner, long chunk, ImageEntry entry, out ChunkRun joined)
    {
        joined = this with { Count = Count + 1, FileLength = FileLength + (int)entry.StoredLength };
        return Count != 0
            && owner == Owner
            && chunk == FirstChunk + Count
            && entry.Offset == FileOffset + (ulong)FileLength
            && FileLength + entry.StoredLength <= MostBytes;
    }
}
