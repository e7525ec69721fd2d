using System.Runtime.InteropServices;

namespace Faultline.Linux.Abi;

// fcntl.h, unistd.h (lseek), linux/falloc.h
internal static class fcntl_h
{
    public const int O_RDONLY = 0;
    public const int O_RDWR = 2;
    public const int O_NONBLOCK = 0x800;
    public const int O_CLOEXEC = 0x80000;
    public const int F_ADD_SEALS = 1033;
    public const int F_GET_SEALS = 1034;
    public const int F_DUPFD_CLOEXEC = 1030;
    public const int F_GETFL = 3;
    public const int F_SEAL_SEAL = 1;
    public const int F_SEAL_SHRINK = 2;
    public const int F_SEAL_GROW = 4;
    public const int F_SEAL_WRITE = 8;
    public const int F_SEAL_FUTURE_WRITE = 16;
    public const int FALLOC_FL_KEEP_SIZE = 1;
    public const int FALLOC_FL_PUNCH_HOLE = 2;
    public const int SEEK_DATA = 3;
    public const int SEEK_HOLE = 4;
    public const int AT_FDCWD = -100;
    public const int AT_EMPTY_PATH = 0x1000;
}

// The one open(2) flag in use that differs between architectures: it contains O_DIRECTORY.
internal static class fcntl_x86_64
{
    public const int O_TMPFILE = 0x410000;
}

internal static class fcntl_arm64
{
    public const int O_TMPFILE = 0x404000;
}

// linux/memfd.h, linux/mount.h, linux/magic.h
internal static class memfd_h
{
    public const uint MFD_CLOEXEC = 1;
    public const uint MFD_ALLOW_SEALING = 2;
    public const uint MFD_HUGETLB = 4;
    public const uint MFD_HUGE_2MB = 21u << 26;
}

internal static class mount_h
{
    public const uint FSOPEN_CLOEXEC = 1;
    public const uint FSMOUNT_CLOEXEC = 1;
    public const uint FSCONFIG_SET_STRING = 1;
    public const uint FSCONFIG_CMD_CREATE = 6;
}

internal static class magic_h
{
    public const long HUGETLBFS_MAGIC = 0x958458f6;
}

// linux/stat.h
internal static class stat_h
{
    public const uint STATX_SIZE = 0x200;
    public const uint STATX_BLOCKS = 0x400;
}

// Only the members in use are named; the size is the kernel's.
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct statx
{
    [FieldOffset(0)] public uint stx_mask;
    [FieldOffset(4)] public uint stx_blksize;
    [FieldOffset(40)] public ulong stx_size;
    [FieldOffset(48)] public ulong stx_blocks;
}

[StructLayout(LayoutKind.Explicit, Size = 120)]
internal struct statfs
{
    [FieldOffset(0)] public long f_type;
    [FieldOffset(8)] public long f_bsize;
    [FieldOffset(16)] public ulong f_blocks;
    [FieldOffset(24)] public ulong f_bfree;
}
