namespace Faultline.Paging;

/// <summary>Whether a chunk of a shared image is as the store has it.</summary>
internal enum ChunkWrites : byte
{
    /// <summary>The store has what memory has: whoever maps it, maps it write-protected.</summary>
    Stored = 0,

    /// <summary>It was written, and may be written at any time.</summary>
    Written,

    /// <summary>Protected again, and on its way to the store.</summary>
    Storing,

    /// <summary>Written again while it was on its way: it must go once more.</summary>
    StoringWritten,
}
