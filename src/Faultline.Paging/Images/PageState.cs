namespace Faultline.Paging;

/// <summary>What the pager knows of one page of an image. <see cref="PageStates"/> has the transitions.</summary>
internal enum PageState : byte
{
    /// <summary>Not in the page cache. For memory that is copied to: not known to be zero, either.</summary>
    Absent = 0,

    /// <summary>A load in flight has claimed it.</summary>
    Loading,

    /// <summary>In the page cache (perhaps swapped out by the engine, which is no concern of ours).</summary>
    Cached,

    /// <summary>Read and found to be zero: left as a hole.</summary>
    Zero,

    /// <summary>The last load failed. As good as absent to whoever asks next.</summary>
    Failed,

    /// <summary>On its way out of the page cache.</summary>
    Evicting,

    /// <summary>Absent, between pages on their way out that are punched out with it: not to be loaded now.</summary>
    Held,
}
