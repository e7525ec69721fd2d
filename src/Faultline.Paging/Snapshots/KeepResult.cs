namespace Faultline.Paging;

/// <summary>What <see cref="ISnapshotSource.Keep"/> did.</summary>
internal enum KeepResult
{
    /// <summary>The page was copied.</summary>
    Copied = 0,

    /// <summary>The page is that of the image, and need not be copied.</summary>
    InStore,

    /// <summary>The page could not be read.</summary>
    Failed,
}
