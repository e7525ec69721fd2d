using System;

namespace Faultline;

/// <summary>The rights of a mapping (Linux: <c>PROT_*</c>).</summary>
[Flags]
public enum Protections
{
    /// <summary>No access.</summary>
    None = 0,

    /// <summary>Loads.</summary>
    Read = 1,

    /// <summary>Stores.</summary>
    Write = 2,

    /// <summary>Instruction fetches.</summary>
    Execute = 4,

    /// <summary>Loads and stores.</summary>
    ReadWrite = Read | Write,
}
