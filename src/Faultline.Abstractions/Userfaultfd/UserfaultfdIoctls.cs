using System;

namespace Faultline;

/// <summary>The calls a userfaultfd or a registered range offers: bit <c>n</c> stands for ioctl number <c>n</c>.</summary>
[Flags]
public enum UserfaultfdIoctls : ulong
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>UFFDIO_REGISTER.</summary>
    Register = 1 << 0,

    /// <summary>UFFDIO_UNREGISTER.</summary>
    Unregister = 1 << 1,

    /// <summary>UFFDIO_WAKE.</summary>
    Wake = 1 << 2,

    /// <summary>UFFDIO_COPY.</summary>
    Copy = 1 << 3,

    /// <summary>UFFDIO_ZEROPAGE.</summary>
    Zeropage = 1 << 4,

    /// <summary>UFFDIO_MOVE.</summary>
    Move = 1 << 5,

    /// <summary>UFFDIO_WRITEPROTECT.</summary>
    WriteProtect = 1 << 6,

    /// <summary>UFFDIO_CONTINUE.</summary>
    Continue = 1 << 7,

    /// <summary>UFFDIO_POISON.</summary>
    Poison = 1 << 8,

    /// <summary>UFFDIO_API.</summary>
    Api = 1UL << 63,
}
