namespace Faultline.Sync.Scheduling;

/// <summary>What is about to happen to a shared word that no lock guards.</summary>
public enum TouchKind
{
    /// <summary>It is read.</summary>
    Read,

    /// <summary>It is written, or exchanged.</summary>
    Write,

    /// <summary>Something is added, and the sum is not looked at: additions may come in any order.</summary>
    Add,
}
