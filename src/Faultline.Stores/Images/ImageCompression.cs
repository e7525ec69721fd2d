namespace Faultline.Stores;

/// <summary>How an image's chunks are made smaller.</summary>
public enum ImageCompression
{
    /// <summary>Not at all: reading costs no processor time beyond the checksum.</summary>
    None = 0,

    /// <summary>Zstandard, for each chunk that becomes smaller by it.</summary>
    Zstandard = 1,
}
