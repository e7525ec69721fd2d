namespace Faultline.Sync.Scheduling;

/// <summary>Whether a lock is the only one of its rank that a thread holds.</summary>
internal enum LockPlace
{
    /// <summary>The only one.</summary>
    Single,

    /// <summary>The second of a pair.</summary>
    Second,
}
