using System;

namespace Faultline.Mm;

/// <summary>What is true of a mapping (Linux: <c>vm_flags</c>, with its values where they have a fixed one).</summary>
[Flags]
internal enum VmaFlags : ulong
{
    None = 0,
    Read = 0x1,
    Write = 0x2,
    Execute = 0x4,
    Shared = 0x8,

    /// <summary>mprotect may give <see cref="Read"/>.</summary>
    MayRead = 0x10,

    /// <summary>mprotect may give <see cref="Write"/>; what a userfaultfd needs to register the mapping.</summary>
    MayWrite = 0x20,
    MayExecute = 0x40,

    UserfaultfdMissing = 0x200,
    UserfaultfdWriteProtect = 0x1000,

    Locked = 0x2000,

    /// <summary>MADV_SEQUENTIAL. Without effect here, but mappings that differ in it are two.</summary>
    SequentialRead = 0x8000,

    /// <summary>MADV_RANDOM.</summary>
    RandomRead = 0x10000,

    /// <summary>MADV_DONTFORK.</summary>
    DontCopy = 0x20000,

    /// <summary>
    /// Its memory is accounted for: private, and writable at some time. Nothing is limited by it here, but mappings that differ in it do not merge.
    /// </summary>
    Account = 0x100000,

    /// <summary>mlock2 with MLOCK_ONFAULT.</summary>
    LockOnFault = 0x80000,
    NoReserve = 0x200000,
    HugeTlb = 0x400000,
    WipeOnFork = 0x2000000,

    /// <summary>MADV_HUGEPAGE.</summary>
    HugePage = 0x20000000,

    /// <summary>MADV_NOHUGEPAGE.</summary>
    NoHugePage = 0x40000000,

    UserfaultfdMinor = 1UL << 38,

    /// <summary>Any of the userfaultfd modes: the mapping is armed.</summary>
    Userfaultfd = UserfaultfdMissing | UserfaultfdWriteProtect | UserfaultfdMinor,

    Access = Read | Write | Execute,
}
