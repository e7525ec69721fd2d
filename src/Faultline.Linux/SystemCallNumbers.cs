using System.Runtime.InteropServices;
using Faultline.Linux.Abi;

namespace Faultline.Linux;

/// <summary>The system call numbers of the running architecture. The JIT folds them into constants.</summary>
internal static class SystemCallNumbers
{
    internal static readonly bool IsX64 = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    internal static readonly int Mmap = IsX64 ? unistd_x86_64.SYS_mmap : unistd_generic.SYS_mmap;
    internal static readonly int Mprotect = IsX64 ? unistd_x86_64.SYS_mprotect : unistd_generic.SYS_mprotect;
    internal static readonly int Munmap = IsX64 ? unistd_x86_64.SYS_munmap : unistd_generic.SYS_munmap;
    internal static readonly int Ioctl = IsX64 ? unistd_x86_64.SYS_ioctl : unistd_generic.SYS_ioctl;
    internal static readonly int Mremap = IsX64 ? unistd_x86_64.SYS_mremap : unistd_generic.SYS_mremap;
    internal static readonly int Madvise = IsX64 ? unistd_x86_64.SYS_madvise : unistd_generic.SYS_madvise;
    internal static readonly int Mlock = IsX64 ? unistd_x86_64.SYS_mlock : unistd_generic.SYS_mlock;
    internal static readonly int Munlock = IsX64 ? unistd_x86_64.SYS_munlock : unistd_generic.SYS_munlock;
    internal static readonly int Mlock2 = IsX64 ? unistd_x86_64.SYS_mlock2 : unistd_generic.SYS_mlock2;
    internal static readonly int Gettid = IsX64 ? unistd_x86_64.SYS_gettid : unistd_generic.SYS_gettid;
    internal static readonly int Tgkill = IsX64 ? unistd_x86_64.SYS_tgkill : unistd_generic.SYS_tgkill;
    internal static readonly int Userfaultfd = IsX64 ? unistd_x86_64.SYS_userfaultfd : unistd_generic.SYS_userfaultfd;
    internal static readonly int Statx = IsX64 ? unistd_x86_64.SYS_statx : unistd_generic.SYS_statx;
    internal static readonly int SchedSetaffinity = IsX64 ? unistd_x86_64.SYS_sched_setaffinity : unistd_generic.SYS_sched_setaffinity;
    internal static readonly int SchedGetaffinity = IsX64 ? unistd_x86_64.SYS_sched_getaffinity : unistd_generic.SYS_sched_getaffinity;
}
