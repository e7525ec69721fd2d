namespace Faultline.Paging;

/// <summary>What memory a region of a client is, and so how its pages are installed.</summary>
public enum RegionKind
{
    /// <summary>A private mapping of <see cref="PagedImage.File"/>, a clone: CONTINUE for pages with contents, ZEROPAGE for zero pages.</summary>
    PrivateImage = 0,

    /// <summary>A shared mapping of <see cref="PagedImage.File"/>: CONTINUE; a zero page becomes a page of the cache when it is touched.</summary>
    SharedImage = 1,

    /// <summary>Memory of the client's own, anonymous or hugetlb, that receives a copy: COPY, and ZEROPAGE where there is one.</summary>
    Copied = 2,
}
