namespace Faultline.Paging;

/// <summary>What a lease is for.</summary>
public enum LeaseAccess
{
    /// <summary>Reading.</summary>
    Read = 0,

    /// <summary>Reading and writing.</summary>
    Write = 1,
}
