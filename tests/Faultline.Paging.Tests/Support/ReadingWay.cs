namespace Faultline.Paging.Tests;

/// <summary>How <see cref="CollectionProgram"/> reads.</summary>
public enum ReadingWay
{
    /// <summary>By one load of managed code: straight optimised code, which the runtime cannot stop in the middle.</summary>
    PlainLoad,

    /// <summary>By a loop of loads without calls: code that the runtime can stop at any instruction.</summary>
    LoopOfLoads,

    /// <summary>Through leases.</summary>
    Lease,

    /// <summary>By <see cref="PagedMemory.Read"/>.</summary>
    Access,

    /// <summary>Through the engine's accessor, with a fault for every page.</summary>
    FaultingAccess,
}
