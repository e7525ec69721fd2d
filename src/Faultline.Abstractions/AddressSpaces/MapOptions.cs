using System;

namespace Faultline;

/// <summary>How memory is mapped, with the values of Linux' <c>MAP_*</c>.</summary>
[Flags]
public enum MapOptions
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Stores are seen by every mapping of the file.</summary>
    Shared = 0x01,

    /// <summary>Stores make a private copy of the page.</summary>
    Private = 0x02,

    /// <summary>At exactly the given address; what was mapped there is unmapped.</summary>
    Fixed = 0x10,

    /// <summary>No file.</summary>
    Anonymous = 0x20,

    /// <summary>No reservation: a huge page pool may turn out empty at the fault.</summary>
    NoReserve = 0x4000,

    /// <summary>Populated and locked.</summary>
    Locked = 0x2000,

    /// <summary>Populated at once.</summary>
    Populate = 0x8000,

    /// <summary>Huge pages from the pool (anonymous mappings; files carry their own page size).</summary>
    HugeTlb = 0x40000,

    /// <summary>At exactly the given address, or EEXIST if something is mapped there.</summary>
    FixedNoReplace = 0x100000,
}
