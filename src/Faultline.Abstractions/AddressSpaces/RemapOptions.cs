using System;

namespace Faultline;

/// <summary>How a mapping is moved or resized, with the values of Linux' <c>MREMAP_*</c>.</summary>
[Flags]
public enum RemapOptions
{
    /// <summary>Resize in place, or fail.</summary>
    None = 0,

    /// <summary>Move if it does not fit.</summary>
    MayMove = 1,

    /// <summary>Move to exactly the given address; what was mapped there is unmapped.</summary>
    Fixed = 2,

    /// <summary>Move the pages, keep the (then empty) old mapping.</summary>
    DontUnmap = 4,
}
