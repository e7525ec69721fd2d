namespace Faultline.Paging.Tests;

/// <summary>How <see cref="CollectionProgram"/> reads.</summary>
public enum ReadingWay
{
    /// <summary>By an instruction of managed code.</summary>
    PlainLoad,

    /// <summary>Through leases.</summary>
    Lease,

    /// <summary>By <see cref="PagedMemory.Read"/>.</summary>
    Access,

    /// <summary>Through the engine's accessor, with a fault for every page.</summary>
    FaultingAccess,
}
