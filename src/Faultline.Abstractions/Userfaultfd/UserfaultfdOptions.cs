using System;

namespace Faultline;

/// <summary>Creation flags, with Linux' values.</summary>
[Flags]
public enum UserfaultfdOptions
{
    /// <summary>Blocking, inherited by exec, kernel faults too.</summary>
    None = 0,

    /// <summary>Faults of the kernel on the program's behalf are not reported but fail (<c>UFFD_USER_MODE_ONLY</c>). Needs no privilege.</summary>
    UserModeOnly = 1,

    /// <summary>Reads never wait (<c>O_NONBLOCK</c>). Needed for polling.</summary>
    NonBlocking = 0x800,

    /// <summary>Closed by exec (<c>O_CLOEXEC</c>).</summary>
    CloseOnExec = 0x80000,
}
