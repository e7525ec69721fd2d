using System;

namespace Faultline;

/// <summary>Modes of MOVE.</summary>
[Flags]
public enum MoveModes : ulong
{
    /// <summary>Move and wake.</summary>
    None = 0,

    /// <summary>Do not wake the waiters.</summary>
    DontWake = 1,

    /// <summary>Absent source pages are skipped and count as moved.</summary>
    AllowSourceHoles = 2,
}
