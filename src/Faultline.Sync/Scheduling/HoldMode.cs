namespace Faultline.Sync.Scheduling;

/// <summary>How a lock is held.</summary>
internal enum HoldMode
{
    /// <summary>By one thread alone.</summary>
    Exclusive,

    /// <summary>By any number of readers.</summary>
    Shared,
}
