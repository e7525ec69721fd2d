using System;

namespace Faultline;

/// <summary>What may no longer be done to a memory file, with the values of Linux' <c>F_SEAL_*</c>.</summary>
[Flags]
public enum FileSeals
{
    /// <summary>Everything may be done.</summary>
    None = 0,

    /// <summary>No more seals.</summary>
    Seal = 1,

    /// <summary>It cannot shrink.</summary>
    Shrink = 2,

    /// <summary>It cannot grow.</summary>
    Grow = 4,

    /// <summary>No writes, no new shared writable mappings.</summary>
    Write = 8,

    /// <summary>No writes but through mappings that exist.</summary>
    FutureWrite = 16,
}
