namespace Faultline.Linux.Children;

/// <summary>System call numbers and flags of x86-64 that only children need.</summary>
internal static class ChildCalls
{
    internal const int Mmap = 9;
    internal const int Mprotect = 10;
    internal const int Munmap = 11;
    internal const int RtSigaction = 13;
    internal const int Ioctl = 16;
    internal const int Pread = 17;
    internal const int Mremap = 25;
    internal const int Madvise = 28;
    internal const int Getpid = 39;
    internal const int Exit = 60;
    internal const int Setpgid = 109;
    internal const int Mlock = 149;
    internal const int Munlock = 150;
    internal const int Prctl = 157;
    internal const int Setrlimit = 160;
    internal const int Futex = 202;
    internal const int Tgkill = 234;
    internal const int Waitid = 247;
    internal const int ProcessVmWritev = 311;
    internal const int Mlock2 = 325;
    internal const int PidfdSendSignal = 424;
    internal const int PidfdOpen = 434;
    internal const int Mseal = 462;

    internal const int FutexWait = 0;
    internal const int FutexWake = 1;
    internal const int PrSetName = 15;
    internal const int RlimitCore = 4;
    internal const int WaitPidfd = 3;
    internal const int WaitNoHang = 1;
    internal const int WaitExited = 4;
    internal const int WaitNoWait = 0x01000000;
    internal const int WaitAll = 0x40000000;
    internal const int MadvPopulateRead = 22;
    internal const int MadvPopulateWrite = 23;

    // sched.h
    internal const int CloneVm = 0x100;
    internal const int CloneFs = 0x200;
    internal const int CloneFiles = 0x400;
    internal const int CloneSighand = 0x800;
    internal const int CloneParent = 0x8000;
    internal const int CloneThread = 0x10000;
    internal const int CloneSysvsem = 0x40000;
    internal const int CloneParentSettid = 0x100000;
    internal const int CloneChildCleartid = 0x200000;

    /// <summary>A thread of the caller's process; the kernel clears its id in the block when it has gone.</summary>
    internal const int ThreadFlags = CloneVm | CloneFs | CloneFiles | CloneSighand | CloneThread | CloneSysvsem | CloneParentSettid | CloneChildCleartid;

    /// <summary>A copy of the caller's process that shares the descriptors, is this process' child, and sends no signal when it ends.</summary>
    internal const int ProcessFlags = CloneFiles | CloneParent | CloneParentSettid;

    /// <summary>
    /// A process that runs in this one's memory. It has no rseq(2) area, and so its copies have none, which would fault once the memory
    /// is gone.
    /// </summary>
    internal const int LauncherFlags = CloneVm | CloneFiles;
}
