using System.Runtime.InteropServices;

namespace Faultline.Linux.Abi;

// sys/epoll.h, sys/eventfd.h
internal static class epoll_h
{
    public const int EPOLL_CLOEXEC = 0x80000;
    public const int EPOLL_CTL_ADD = 1;
    public const int EPOLL_CTL_DEL = 2;
    public const uint EPOLLIN = 1;
    public const int EFD_SEMAPHORE = 1;
    public const int EFD_NONBLOCK = 0x800;
    public const int EFD_CLOEXEC = 0x80000;
}

// x86-64 packs it; see epoll_event_aligned for the others.
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct epoll_event
{
    public uint events;
    public ulong data;
}

// struct epoll_event of arm64 and riscv64.
[StructLayout(LayoutKind.Sequential)]
internal struct epoll_event_aligned
{
    public uint events;
    public ulong data;
}

// sys/uio.h
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct iovec
{
    public void* iov_base;
    public nuint iov_len;
}

// sys/resource.h
internal static class resource_h
{
    public const int RUSAGE_THREAD = 1;
}

[StructLayout(LayoutKind.Explicit, Size = 144)]
internal struct rusage
{
    [FieldOffset(64)] public long ru_minflt;
    [FieldOffset(72)] public long ru_majflt;
}

// signal.h (glibc); sa_mask is 1024 bits there.
internal static class signal_h
{
    public const int SIGRTMAX = 64;
}

[StructLayout(LayoutKind.Explicit, Size = 152)]
internal struct sigaction
{
    [FieldOffset(0)] public nint sa_handler;
    [FieldOffset(136)] public int sa_flags;
}
