using System;

namespace Faultline;

/// <summary>Modes of WRITEPROTECT.</summary>
[Flags]
public enum WriteProtectModes : ulong
{
    /// <summary>Un-protect and wake.</summary>
    None = 0,

    /// <summary>Protect; never wakes.</summary>
    Protect = 1,

    /// <summary>Un-protect, and do not wake.</summary>
    DontWake = 2,
}
