namespace Faultline.Linux.Abi;

// asm/unistd_64.h
internal static class unistd_x86_64
{
    public const int SYS_mmap = 9;
    public const int SYS_mprotect = 10;
    public const int SYS_munmap = 11;
    public const int SYS_ioctl = 16;
    public const int SYS_mremap = 25;
    public const int SYS_madvise = 28;
    public const int SYS_mlock = 149;
    public const int SYS_munlock = 150;
    public const int SYS_gettid = 186;
    public const int SYS_sched_setaffinity = 203;
    public const int SYS_sched_getaffinity = 204;
    public const int SYS_tgkill = 234;
    public const int SYS_userfaultfd = 323;
    public const int SYS_mlock2 = 325;
    public const int SYS_statx = 332;
}

// asm-generic/unistd.h: arm64 and riscv64
internal static class unistd_generic
{
    public const int SYS_ioctl = 29;
    public const int SYS_sched_setaffinity = 122;
    public const int SYS_sched_getaffinity = 123;
    public const int SYS_tgkill = 131;
    public const int SYS_gettid = 178;
    public const int SYS_munmap = 215;
    public const int SYS_mremap = 216;
    public const int SYS_mmap = 222;
    public const int SYS_mprotect = 226;
    public const int SYS_mlock = 228;
    public const int SYS_munlock = 229;
    public const int SYS_madvise = 233;
    public const int SYS_userfaultfd = 282;
    public const int SYS_mlock2 = 284;
    public const int SYS_statx = 291;
}

// The numbers that every architecture shares (calls added since 5.1).
internal static class unistd_shared
{
    public const int SYS_fsopen = 430;
    public const int SYS_fsconfig = 431;
    public const int SYS_fsmount = 432;
}
