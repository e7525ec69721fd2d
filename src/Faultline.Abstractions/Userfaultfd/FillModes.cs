using System;

namespace Faultline;

/// <summary>Modes of COPY, ZEROPAGE, CONTINUE and POISON.</summary>
[Flags]
public enum FillModes : ulong
{
    /// <summary>Install and wake.</summary>
    None = 0,

    /// <summary>Do not wake the waiters.</summary>
    DontWake = 1,

    /// <summary>Install write-protected (COPY and CONTINUE only).</summary>
    WriteProtect = 2,
}
