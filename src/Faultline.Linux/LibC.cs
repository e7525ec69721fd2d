using System.Runtime.InteropServices;
using Faultline.Linux.Abi;

namespace Faultline.Linux;

/// <summary>
/// The C library functions in use. All are blittable, so each is one direct call; none may suppress the GC transition, because any
/// of them can sleep.
/// </summary>
internal static unsafe partial class LibC
{
    private const string Library = "libc";

    [LibraryImport(Library)]
    internal static partial nint syscall(nint number, nint a0, nint a1, nint a2, nint a3, nint a4, nint a5);

    [LibraryImport(Library)]
    internal static partial int ioctl(int fd, nuint request, void* argument);

    [LibraryImport(Library)]
    internal static partial int open(byte* path, int flags, int mode);

    [LibraryImport(Library)]
    internal static partial int openat(int directory, byte* path, int flags, int mode);

    [LibraryImport(Library)]
    internal static partial int close(int fd);

    [LibraryImport(Library)]
    internal static partial nint read(int fd, void* target, nuint count);

    [LibraryImport(Library)]
    internal static partial nint write(int fd, void* source, nuint count);

    [LibraryImport(Library)]
    internal static partial nint pread(int fd, void* target, nuint count, long offset);

    [LibraryImport(Library)]
    internal static partial nint pwrite(int fd, void* source, nuint count, long offset);

    [LibraryImport(Library)]
    internal static partial long lseek(int fd, long offset, int whence);

    [LibraryImport(Library)]
    internal static partial int ftruncate(int fd, long size);

    [LibraryImport(Library)]
    internal static partial int fallocate(int fd, int mode, long offset, long length);

    [LibraryImport(Library)]
    internal static partial int fstatfs(int fd, statfs* status);

    [LibraryImport(Library)]
    internal static partial int fcntl(int fd, int command, nint argument);

    [LibraryImport(Library)]
    internal static partial int memfd_create(byte* name, uint flags);

    [LibraryImport(Library)]
    internal static partial int epoll_create1(int flags);

    [LibraryImport(Library)]
    internal static partial int epoll_ctl(int epoll, int operation, int fd, void* ready);

    [LibraryImport(Library)]
    internal static partial int epoll_wait(int epoll, void* ready, int maximum, int timeoutMs);

    [LibraryImport(Library)]
    internal static partial int eventfd(uint initial, int flags);

    [LibraryImport(Library)]
    internal static partial nint process_vm_readv(int pid, iovec* local, nuint localCount, iovec* remote, nuint remoteCount, nuint flags);

    [LibraryImport(Library)]
    internal static partial nint process_vm_writev(int pid, iovec* local, nuint localCount, iovec* remote, nuint remoteCount, nuint flags);

    [LibraryImport(Library)]
    internal static partial int getrusage(int who, rusage* usage);

    [LibraryImport(Library)]
    internal static partial int socket(int domain, int type, int protocol);

    [LibraryImport(Library)]
    internal static partial int socketpair(int domain, int type, int protocol, int* pair);

    [LibraryImport(Library)]
    internal static partial int bind(int socket, sockaddr_un* address, uint length);

    [LibraryImport(Library)]
    internal static partial int connect(int socket, sockaddr_un* address, uint length);

    [LibraryImport(Library)]
    internal static partial int listen(int socket, int backlog);

    [LibraryImport(Library)]
    internal static partial int accept4(int socket, void* address, void* length, int flags);

    [LibraryImport(Library)]
    internal static partial int shutdown(int socket, int how);

    [LibraryImport(Library)]
    internal static partial int getsockopt(int socket, int level, int option, void* value, uint* length);

    [LibraryImport(Library)]
    internal static partial nint sendmsg(int socket, msghdr* message, int flags);

    [LibraryImport(Library)]
    internal static partial nint recvmsg(int socket, msghdr* message, int flags);

    [LibraryImport(Library)]
    internal static partial int poll(pollfd* descriptors, nuint count, int timeoutMs);

    [LibraryImport(Library)]
    internal static partial int sigaction(int signal, sigaction* action, sigaction* old);

    /// <summary>The error of the call this thread made last. The runtime keeps it across a collection that falls in between.</summary>
    internal static Errno LastErrno() => (Errno)Marshal.GetLastSystemError();

    /// <summary>The result of a call that answers minus one on error, as a value and an error.</summary>
    internal static Errno ErrnoOf(nint result) => result == -1 ? LastErrno() : Errno.None;
}
