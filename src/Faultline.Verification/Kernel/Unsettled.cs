namespace Faultline.Verification.Kernel;

/// <summary>Of which pages nobody decides whether they are clean or dirty, because they were written to swap and the writing may have ended or not.</summary>
internal enum Unsettled
{
    /// <summary>Of none: nothing was paged out.</summary>
    None,

    /// <summary>Of pages that come back into memory that is locked or protected now.</summary>
    LockedAndProtected,

    /// <summary>One has come back like that. It stays as it is when the lock or the protection is gone, and wherever it moves.</summary>
    All,
}
