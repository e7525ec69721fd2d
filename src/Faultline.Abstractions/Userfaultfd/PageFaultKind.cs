namespace Faultline;

/// <summary>The reason of a userfault.</summary>
public enum PageFaultKind
{
    /// <summary>There is no page.</summary>
    Missing = 0,

    /// <summary>The page is in the page cache, and has no page-table entry.</summary>
    Minor = 1,

    /// <summary>The page is write-protected.</summary>
    WriteProtect = 2,
}
