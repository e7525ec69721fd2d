namespace Faultline.Paging;

/// <summary>Where bytes of a snapshot are to be read.</summary>
internal enum SnapshotOrigin
{
    /// <summary>In the memory, as it is.</summary>
    Memory = 0,

    /// <summary>In the image behind it: the page was not the memory's own at the instant, and is by now.</summary>
    Image,
}
