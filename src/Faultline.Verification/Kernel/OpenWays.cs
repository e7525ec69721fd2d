using System;

namespace Faultline.Verification.Kernel;

/// <summary>How a step opens a userfaultfd, if not in the usual way.</summary>
[Flags]
internal enum OpenWays
{
    None = 0,

    /// <summary>Faults of the kernel fail instead of being told.</summary>
    UserModeOnly = 1,

    /// <summary>Reading waits for a message.</summary>
    Blocking = 2,
}
