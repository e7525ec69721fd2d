namespace Faultline.Sync.Scheduling;

/// <summary>What a thread does when it runs on from a point.</summary>
internal enum StepKind
{
    /// <summary>Nothing that another thread could notice.</summary>
    Local,

    /// <summary>Anything: <see cref="Seam.Point"/> does not say.</summary>
    Any,

    /// <summary>Takes a lock alone.</summary>
    Acquire,

    /// <summary>Takes a lock as one of its readers.</summary>
    AcquireShared,

    /// <summary>Takes a lock alone if it is free.</summary>
    TryAcquire,

    /// <summary>Lets go of a lock it held alone.</summary>
    Release,

    /// <summary>Lets go of a lock it held as a reader.</summary>
    ReleaseShared,

    /// <summary>Reads a word.</summary>
    Read,

    /// <summary>Writes a word, or exchanges it.</summary>
    Write,

    /// <summary>Adds to a word, and does not look at the sum.</summary>
    Add,
}
