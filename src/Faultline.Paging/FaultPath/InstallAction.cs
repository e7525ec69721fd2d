namespace Faultline.Paging;

/// <summary>What follows from an answer of the engine; see <see cref="InstallOutcomes"/>.</summary>
internal enum InstallAction
{
    /// <summary>The whole range is done, its waiters are woken.</summary>
    Done = 0,

    /// <summary>A part is done: go on with the remainder, whose answer tells why it stopped.</summary>
    GoOn,

    /// <summary>The page at the front is there already. Nobody was woken by that: wake its waiters, and go on behind it.</summary>
    SkipPage,

    /// <summary>The address space is changing: put the fault aside until it has settled.</summary>
    Park,

    /// <summary>The range is not one registered mapping. Page by page; a single page is gone: wake, and go on behind it.</summary>
    Narrow,

    /// <summary>The cache has no page there after all: it is absent, load it again.</summary>
    Reload,

    /// <summary>The cache has a page where we knew a hole: it is cached, CONTINUE it.</summary>
    Materialise,

    /// <summary>No memory: evict, or put the fault aside until its time is up.</summary>
    MakeRoom,

    /// <summary>It cannot be installed: make the page an error.</summary>
    Fail,

    /// <summary>Beyond the end of the file: the retried access gets the engine's own error. Wake.</summary>
    Wake,

    /// <summary>The client's address space is gone.</summary>
    ClientGone,
}
