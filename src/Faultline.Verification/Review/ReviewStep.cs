namespace Faultline.Verification.Review;

/// <summary>The calls that histories are made of. All act on the first page of the area, or on the same page of the file through its alias.</summary>
internal enum ReviewStep
{
    /// <summary>fallocate(2): a page that is not up to date.</summary>
    Allocate,

    /// <summary>A load through the alias: a page of the cache that is clean.</summary>
    LoadAlias,

    /// <summary>A store through the alias: a page of the cache that is dirty.</summary>
    StoreAlias,

    /// <summary>MADV_PAGEOUT on the alias.</summary>
    PageOutAlias,

    /// <summary>UFFDIO_COPY from a buffer.</summary>
    Copy,

    /// <summary>UFFDIO_COPY whose source is the second page of the alias, which is not resident.</summary>
    CopyFromAlias,

    /// <summary>UFFDIO_CONTINUE.</summary>
    Continue,

    /// <summary>A load from the area.</summary>
    Load,

    /// <summary>A store to the area.</summary>
    Store,
}
