namespace Faultline.Verification.Kernel;

/// <summary>What a random program is mostly about. A number of it is part of the program's seed.</summary>
internal enum ProgramProfile
{
    General = 0,
    Missing,
    SharedFile,
    PrivateFile,
    WriteProtect,
    Events,
    Sleepers,
    Files,
    Move,
    Remap,
    Swap,
    Scan,
    Fork,
    Markers,
    BadArguments,
    SigBus,
    Hugetlb,

    /// <summary>Transparent huge pages.</summary>
    HugePages,
}
