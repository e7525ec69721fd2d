using System.Runtime.InteropServices;

namespace Faultline.Linux.Abi;

// linux/userfaultfd.h
internal static class userfaultfd_h
{
    public const ulong UFFD_API = 0xAA;

    public const uint UFFDIO_API = 0xc018aa3f;
    public const uint UFFDIO_REGISTER = 0xc020aa00;
    public const uint UFFDIO_UNREGISTER = 0x8010aa01;
    public const uint UFFDIO_WAKE = 0x8010aa02;
    public const uint UFFDIO_COPY = 0xc028aa03;
    public const uint UFFDIO_ZEROPAGE = 0xc020aa04;
    public const uint UFFDIO_MOVE = 0xc028aa05;
    public const uint UFFDIO_WRITEPROTECT = 0xc018aa06;
    public const uint UFFDIO_CONTINUE = 0xc020aa07;
    public const uint UFFDIO_POISON = 0xc020aa08;
    public const uint USERFAULTFD_IOC_NEW = 0xaa00;

    public const int UFFD_USER_MODE_ONLY = 1;

    public const byte UFFD_EVENT_PAGEFAULT = 0x12;
    public const byte UFFD_EVENT_FORK = 0x13;
    public const byte UFFD_EVENT_REMAP = 0x14;
    public const byte UFFD_EVENT_REMOVE = 0x15;
    public const byte UFFD_EVENT_UNMAP = 0x16;

    public const ulong UFFD_PAGEFAULT_FLAG_WRITE = 1;
    public const ulong UFFD_PAGEFAULT_FLAG_WP = 2;
    public const ulong UFFD_PAGEFAULT_FLAG_MINOR = 4;

    public const ulong UFFD_FEATURE_PAGEFAULT_FLAG_WP = 1 << 0;
    public const ulong UFFD_FEATURE_EVENT_FORK = 1 << 1;
    public const ulong UFFD_FEATURE_EVENT_REMAP = 1 << 2;
    public const ulong UFFD_FEATURE_EVENT_REMOVE = 1 << 3;
    public const ulong UFFD_FEATURE_MISSING_HUGETLBFS = 1 << 4;
    public const ulong UFFD_FEATURE_MISSING_SHMEM = 1 << 5;
    public const ulong UFFD_FEATURE_EVENT_UNMAP = 1 << 6;
    public const ulong UFFD_FEATURE_SIGBUS = 1 << 7;
    public const ulong UFFD_FEATURE_THREAD_ID = 1 << 8;
    public const ulong UFFD_FEATURE_MINOR_HUGETLBFS = 1 << 9;
    public const ulong UFFD_FEATURE_MINOR_SHMEM = 1 << 10;
    public const ulong UFFD_FEATURE_EXACT_ADDRESS = 1 << 11;
    public const ulong UFFD_FEATURE_WP_HUGETLBFS_SHMEM = 1 << 12;
    public const ulong UFFD_FEATURE_WP_UNPOPULATED = 1 << 13;
    public const ulong UFFD_FEATURE_POISON = 1 << 14;
    public const ulong UFFD_FEATURE_WP_ASYNC = 1 << 15;
    public const ulong UFFD_FEATURE_MOVE = 1 << 16;

    public const ulong UFFDIO_REGISTER_MODE_MISSING = 1;
    public const ulong UFFDIO_REGISTER_MODE_WP = 2;
    public const ulong UFFDIO_REGISTER_MODE_MINOR = 4;
    public const ulong UFFDIO_COPY_MODE_DONTWAKE = 1;
    public const ulong UFFDIO_COPY_MODE_WP = 2;
    public const ulong UFFDIO_ZEROPAGE_MODE_DONTWAKE = 1;
    public const ulong UFFDIO_WRITEPROTECT_MODE_WP = 1;
    public const ulong UFFDIO_WRITEPROTECT_MODE_DONTWAKE = 2;
    public const ulong UFFDIO_CONTINUE_MODE_DONTWAKE = 1;
    public const ulong UFFDIO_CONTINUE_MODE_WP = 2;
    public const ulong UFFDIO_POISON_MODE_DONTWAKE = 1;
    public const ulong UFFDIO_MOVE_MODE_DONTWAKE = 1;
    public const ulong UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES = 2;
}

[StructLayout(LayoutKind.Sequential)]
internal struct uffdio_api
{
    public ulong api;
    public ulong features;
    public ulong ioctls;
}

[StructLayout(LayoutKind.Sequential)]
internal struct uffdio_range
{
    public ulong start;
    public ulong len;
}

[StructLayout(LayoutKind.Sequential)]
internal struct uffdio_register
{
    public uffdio_range range;
    public ulong mode;
    public ulong ioctls;
}

[StructLayout(LayoutKind.Sequential)]
internal struct uffdio_copy
{
    public ulong dst;
    public ulong src;
    public ulong len;
    public ulong mode;
    public long copy;
}

[StructLayout(LayoutKind.Sequential)]
internal struct uffdio_zeropage
{
    public uffdio_range range;
    public ulong mode;
    public long zeropage;
}

[StructLayout(LayoutKind.Sequential)]
internal struct uffdio_writeprotect
{
    public uffdio_range range;
    public ulong mode;
}

[StructLayout(LayoutKind.Sequential)]
internal struct uffdio_continue
{
    public uffdio_range range;
    public ulong mode;
    public long mapped;
}

[StructLayout(LayoutKind.Sequential)]
internal struct uffdio_poison
{
    public uffdio_range range;
    public ulong mode;
    public long updated;
}

[StructLayout(LayoutKind.Sequential)]
internal struct uffdio_move
{
    public ulong dst;
    public ulong src;
    public ulong len;
    public ulong mode;
    public long move;
}

// The members of the union lie over one another; the event says which are meant.
[StructLayout(LayoutKind.Explicit, Size = 32)]
internal struct uffd_msg
{
    [FieldOffset(0)] public byte @event;
    [FieldOffset(8)] public ulong pagefault_flags;
    [FieldOffset(16)] public ulong pagefault_address;
    [FieldOffset(24)] public uint pagefault_feat_ptid;
    [FieldOffset(8)] public uint fork_ufd;
    [FieldOffset(8)] public ulong remap_from;
    [FieldOffset(16)] public ulong remap_to;
    [FieldOffset(24)] public ulong remap_len;
    [FieldOffset(8)] public ulong remove_start;
    [FieldOffset(16)] public ulong remove_end;
}
