namespace Faultline.Paging;

/// <summary>The calls that install pages. ZEROPAGE counts twice, because in a shared mapping its EEXIST means something else.</summary>
internal enum InstallVerb
{
    Continue = 0,

    /// <summary>CONTINUE that wakes nobody: the caller wakes a whole batch at once.</summary>
    ContinueQuietly,

    /// <summary>CONTINUE that leaves pages writable which others of the region are protected like: the write has been noted.</summary>
    ContinueWritable,
    Copy,

    /// <summary>COPY of zeroes into a shared mapping, where ZEROPAGE cannot: over markers, and write-protected.</summary>
    CopyShared,
    ZeropagePrivate,
    ZeropageShared,
    Poison,
}
