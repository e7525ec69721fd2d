namespace Faultline.Stores;

/// <summary>How an image holds the contents of a chunk, or a block of its index. The numbers are those of the format.</summary>
internal enum ChunkKind : byte
{
    /// <summary>It is zero, and takes no room.</summary>
    Zero = 0,

    /// <summary>As it is.</summary>
    Raw = 1,

    /// <summary>As one frame of Zstandard.</summary>
    Zstandard = 2,

    /// <summary>It is that of the base. Chunks only.</summary>
    Inherited = 3,
}
