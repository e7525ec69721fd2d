namespace Faultline.Verification.Kernel;

/// <summary>What a step of a kernel program does.</summary>
internal enum StepVerb
{
    /// <summary>Maps at a place that must be free; <see cref="Step.Mode"/> is a <see cref="MapKind"/>, <see cref="Step.Value"/> the protection.</summary>
    Map = 0,

    /// <summary>Maps over whatever is there.</summary>
    MapOver,
    Unmap,
    Protect,

    /// <summary>mremap; <see cref="Step.Value"/> is the new length in pages, <see cref="Step.Other"/> the target.</summary>
    Remap,
    Advise,
    Lock,
    LockOnFault,
    Unlock,

    /// <summary>Opens a context and shakes hands; <see cref="Step.Mode"/> holds the features, <see cref="Step.Value"/> the <see cref="OpenWays"/>.</summary>
    Open,
    Close,
    Register,
    Unregister,
    Wake,

    /// <summary>COPY from a buffer of this process; <see cref="Step.Value"/> is what is in it.</summary>
    Copy,

    /// <summary>COPY from the address space itself, at <see cref="Step.Other"/>.</summary>
    CopyFrom,
    Zeropage,
    Continue,
    Poison,

    /// <summary>MOVE from <see cref="Step.Other"/>.</summary>
    Move,
    WriteProtect,

    /// <summary>Reads every message there is.</summary>
    ReadMessages,
    Load,
    Store,

    /// <summary>Reads as the kernel does for a system call.</summary>
    KernelRead,
    KernelWrite,

    /// <summary>Makes a file; <see cref="Step.Mode"/> is 1 for one of huge pages.</summary>
    MakeFile,
    Truncate,
    Allocate,
    Punch,
    FileWrite,
    FileRead,
    Scan,
    Fork,

    /// <summary>Ends a forked address space.</summary>
    Exit,

    /// <summary>Moves pages while another thread touches them: what may happen is one of several things.</summary>
    RaceMove,

    /// <summary>A signal for a thread that sleeps in a load or a store.</summary>
    Interrupt,

    /// <summary>Seals a file; <see cref="Step.Mode"/> holds the <see cref="FileSeals"/>.</summary>
    Seal,
}
