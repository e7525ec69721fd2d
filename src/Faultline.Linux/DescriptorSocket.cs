using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Faultline.Linux.Abi;
using Microsoft.Win32.SafeHandles;

namespace Faultline.Linux;

/// <summary>
/// A Unix stream socket that carries bytes and open descriptors (unix(7), SCM_RIGHTS), so that the handler of a userfaultfd can
/// live in another process.
/// </summary>
/// <remarks>
/// One sender and one receiver at a time. Descriptors arrive with the first byte of the bytes they were sent with, and are closed on
/// exec. Disposing ends every call that waits on the socket: <see cref="Receive"/> with zero bytes, <see cref="Accept"/> with EINVAL.
/// </remarks>
public sealed unsafe class DescriptorSocket : IDisposable
{
    /// <summary>The most descriptors that one message can carry.</summary>
    public const int MaximumDescriptors = 253;

    private readonly LinuxDescriptor _descriptor;

    private DescriptorSocket(int descriptor) => _descriptor = new LinuxDescriptor(descriptor);

    /// <summary>The socket's own descriptor, to be inherited or sent on. It stays this object's.</summary>
    public SafeHandle Descriptor => _descriptor;

    /// <summary>Makes a socket of an inherited descriptor.</summary>
    /// <param name="descriptor">The descriptor, which then belongs to the socket.</param>
    public static DescriptorSocket FromDescriptor(SafeHandle descriptor)
    {
        int number = (int)descriptor.DangerousGetHandle();
        descriptor.SetHandleAsInvalid();
        return new DescriptorSocket(number);
    }

    /// <summary>Makes two sockets that are connected with each other.</summary>
    /// <returns>The sockets, or EMFILE, ENFILE, ENOMEM.</returns>
    public static SystemResult<(DescriptorSocket First, DescriptorSocket Second)> CreatePair()
    {
        int* pair = stackalloc int[2];
        return LibC.socketpair(socket_h.AF_UNIX, socket_h.SOCK_STREAM | socket_h.SOCK_CLOEXEC, 0, pair) == -1
            ? new(default, LibC.LastErrno())
            : new((new DescriptorSocket(pair[0]), new DescriptorSocket(pair[1])), Errno.None);
    }

    /// <summary>Listens at a path, which must not exist yet; a first <c>@</c> stands for the abstract namespace.</summary>
    /// <returns>The listening socket, or EADDRINUSE (98), EACCES, ENOENT, EINVAL (no name, or one that is too long), EMFILE.</returns>
    public static SystemResult<DescriptorSocket> Listen(string path, int backlog = 64)
    {
        SystemResult<DescriptorSocket> created = Create(path, out sockaddr_un address, out uint length);
        if (!created.IsOk)
        {
            return created;
        }

        int number = created.Value._descriptor.Number;
        if (LibC.bind(number, &address, length) == 0 && LibC.listen(number, backlog) == 0)
        {
            return created;
        }

        Errno errno = LibC.LastErrno();
        created.Value.Dispose();
        return new(null!, errno);
    }

    /// <summary>Connects to a path at which another socket listens.</summary>
    /// <returns>The socket, or ENOENT, ECONNREFUSED (111), EACCES, EINVAL (no name, or one that is too long), EMFILE.</returns>
    public static SystemResult<DescriptorSocket> Connect(string path)
    {
        SystemResult<DescriptorSocket> created = Create(path, out sockaddr_un address, out uint length);
        if (!created.IsOk)
        {
            return created;
        }

        Errno errno;
        do
        {
            errno = LibC.ErrnoOf(LibC.connect(created.Value._descriptor.Number, &address, length));
        }
        while (errno == Errno.EINTR);

        if (errno == Errno.None)
        {
            return created;
        }

        created.Value.Dispose();
        return new(null!, errno);
    }

    /// <summary>Waits for the next connection to a listening socket.</summary>
    /// <param name="timeoutMs">The longest wait in milliseconds; -1 waits without end.</param>
    /// <returns>The socket, or ETIMEDOUT, EMFILE, EINVAL (disposed while waiting, or not listening), EBADF.</returns>
    public SystemResult<DescriptorSocket> Accept(int timeoutMs = -1)
    {
        if (!_descriptor.TryEnter())
        {
            return new(null!, Errno.EBADF);
        }

        int accepted = -1;
        Errno errno = WaitReadable(timeoutMs);
        while (errno == Errno.None)
        {
            accepted = LibC.accept4(_descriptor.Number, null, null, socket_h.SOCK_CLOEXEC);
            errno = LibC.ErrnoOf(accepted);
            if (errno != Errno.EINTR)
            {
                break;
            }

            errno = Errno.None;
        }

        _descriptor.Leave();
        return errno == Errno.None ? new(new DescriptorSocket(accepted), errno) : new(null!, errno);
    }

    /// <summary>The process on the other side, as it was when the connection was made (SO_PEERCRED).</summary>
    /// <returns>The process, or ENOTCONN (107), EBADF.</returns>
    public SystemResult<int> GetPeerProcessId()
    {
        if (!_descriptor.TryEnter())
        {
            return new(0, Errno.EBADF);
        }

        ucred peer = default;
        uint length = (uint)sizeof(ucred);
        Errno errno = LibC.ErrnoOf(LibC.getsockopt(_descriptor.Number, socket_h.SOL_SOCKET, socket_h.SO_PEERCRED, &peer, &length));
        _descriptor.Leave();
        return new(peer.pid, errno);
    }

    /// <summary>Sends all of the bytes, of which there must be at least one, and the descriptors with the first. The descriptors stay open here.</summary>
    /// <returns>EPIPE (the other side has closed), EINVAL (no bytes, or too many descriptors), EBADF (a descriptor is closed).</returns>
    public SystemResult Send(ReadOnlySpan<byte> bytes, params ReadOnlySpan<SafeHandle> descriptors)
    {
        if (bytes.IsEmpty || descriptors.Length > MaximumDescriptors)
        {
            return new(Errno.EINVAL);
        }

        if (!_descriptor.TryEnter())
        {
            return new(Errno.EBADF);
        }

        int entered = 0;
        Errno errno = Errno.None;
        Span<int> numbers = stackalloc int[descriptors.Length];
        try
        {
            foreach (SafeHandle descriptor in descriptors)
            {
                bool isEntered = false;
                descriptor.DangerousAddRef(ref isEntered);
                numbers[entered++] = (int)descriptor.DangerousGetHandle();
            }

            errno = SendAll(bytes, numbers);
        }
        catch (ObjectDisposedException)
        {
            errno = Errno.EBADF;
        }
        finally
        {
            for (int i = 0; i < entered; i++)
            {
                descriptors[i].DangerousRelease();
            }

            _descriptor.Leave();
        }

        return new(errno);
    }

    /// <summary>Receives some bytes, and the descriptors that came with them.</summary>
    /// <param name="target">Receives the bytes. A stream has no borders: read on until all that belongs together is there.</param>
    /// <param name="descriptors">Receives the descriptors, which then belong to the caller.</param>
    /// <param name="timeoutMs">The longest wait in milliseconds; -1 waits without end.</param>
    /// <returns>What came, or ETIMEDOUT, EBADF, ECONNRESET (104).</returns>
    public SystemResult<ReceivedMessage> Receive(Span<byte> target, Span<SafeFileHandle> descriptors, int timeoutMs = -1)
    {
        if (!_descriptor.TryEnter())
        {
            return new(default, Errno.EBADF);
        }

        Errno errno = WaitReadable(timeoutMs);
        SystemResult<ReceivedMessage> result = errno == Errno.None ? ReceiveNow(target, descriptors) : new(default, errno);
        _descriptor.Leave();
        return result;
    }

    /// <summary>Ends the connection for both sides, and closes the socket.</summary>
    public void Dispose()
    {
        if (_descriptor.TryEnter())
        {
            _ = LibC.shutdown(_descriptor.Number, socket_h.SHUT_RDWR);
            _descriptor.Leave();
        }

        _descriptor.Dispose();
    }

    private static SystemResult<DescriptorSocket> Create(string path, out sockaddr_un address, out uint length)
    {
        address = default;
        length = 0;
        byte[] bytes = Encoding.UTF8.GetBytes(path);
        if (bytes.Length is 0 or >= 108)
        {
            return new(null!, Errno.EINVAL);
        }

        address.sun_family = socket_h.AF_UNIX;
        for (int i = 0; i < bytes.Length; i++)
        {
            address.sun_path[i] = bytes[i];
        }

        bool isAbstract = bytes[0] == '@';
        if (isAbstract)
        {
            address.sun_path[0] = 0;
        }

        length = (uint)(sizeof(ushort) + bytes.Length + (isAbstract ? 0 : 1));
        int descriptor = LibC.socket(socket_h.AF_UNIX, socket_h.SOCK_STREAM | socket_h.SOCK_CLOEXEC, 0);
        return descriptor == -1 ? new(null!, LibC.LastErrno()) : new(new DescriptorSocket(descriptor), Errno.None);
    }

    private Errno WaitReadable(int timeoutMs)
    {
        if (timeoutMs < 0)
        {
            return Errno.None;
        }

        long endsAt = Environment.TickCount64 + timeoutMs;
        while (true)
        {
            pollfd waiting = new() { fd = _descriptor.Number, events = socket_h.POLLIN };
            int ready = LibC.poll(&waiting, 1, (int)Math.Max(0, endsAt - Environment.TickCount64));
            Errno errno = LibC.ErrnoOf(ready);
            if (errno != Errno.EINTR)
            {
                return ready == 0 ? Errno.ETIMEDOUT : errno;
            }
        }
    }

    private Errno SendAll(ReadOnlySpan<byte> bytes, ReadOnlySpan<int> numbers)
    {
        int controlBytes = numbers.IsEmpty ? 0 : ControlSize(numbers.Length);
        byte* control = stackalloc byte[controlBytes];
        if (controlBytes > 0)
        {
            var header = (cmsghdr*)control;
            header->cmsg_len = (nuint)(sizeof(cmsghdr) + (numbers.Length * sizeof(int)));
            header->cmsg_level = socket_h.SOL_SOCKET;
            header->cmsg_type = socket_h.SCM_RIGHTS;
            numbers.CopyTo(new Span<int>(control + sizeof(cmsghdr), numbers.Length));
        }

        fixed (byte* pinned = bytes)
        {
            int sent = 0;
            while (sent < bytes.Length)
            {
                iovec piece = new() { iov_base = pinned + sent, iov_len = (nuint)(bytes.Length - sent) };
                msghdr message = new() { msg_iov = &piece, msg_iovlen = 1 };
                if (sent == 0 && controlBytes > 0)
                {
                    message.msg_control = control;
                    message.msg_controllen = (nuint)controlBytes;
                }

                nint count = LibC.sendmsg(_descriptor.Number, &message, socket_h.MSG_NOSIGNAL);
                Errno errno = LibC.ErrnoOf(count);
                if (errno is not (Errno.None or Errno.EINTR))
                {
                    return errno;
                }

                sent += (int)Math.Max(count, 0);
            }
        }

        return Errno.None;
    }

    [SkipLocalsInit]
    private SystemResult<ReceivedMessage> ReceiveNow(Span<byte> target, Span<SafeFileHandle> descriptors)
    {
        int controlBytes = ControlSize(Math.Clamp(descriptors.Length, 1, MaximumDescriptors));
        byte* control = stackalloc byte[controlBytes];
        fixed (byte* pinned = target)
        {
            iovec piece = new() { iov_base = pinned, iov_len = (nuint)target.Length };
            msghdr message = default;
            nint count;
            Errno errno;
            do
            {
                message = new()
                {
                    msg_iov = &piece,
                    msg_iovlen = 1,
                    msg_control = descriptors.IsEmpty ? null : control,
                    msg_controllen = descriptors.IsEmpty ? 0 : (nuint)controlBytes,
                };
                count = LibC.recvmsg(_descriptor.Number, &message, socket_h.MSG_CMSG_CLOEXEC);
                errno = LibC.ErrnoOf(count);
            }
            while (errno == Errno.EINTR);

            if (errno != Errno.None)
            {
                return new(default, errno);
            }

            int received = TakeDescriptors(control, (int)message.msg_controllen, descriptors, out bool isOverflowing);
            bool isTruncated = isOverflowing || (message.msg_flags & socket_h.MSG_CTRUNC) != 0;
            return new(new((int)count, received, isTruncated), Errno.None);
        }
    }

    // Alignment of the control buffer can let one descriptor more through than was asked for: it is closed, not leaked.
    private static int TakeDescriptors(byte* control, int controlBytes, Span<SafeFileHandle> descriptors, out bool isOverflowing)
    {
        int taken = 0;
        isOverflowing = false;
        int at = 0;
        while (at + sizeof(cmsghdr) <= controlBytes)
        {
            var header = (cmsghdr*)(control + at);
            if ((int)header->cmsg_len < sizeof(cmsghdr))
            {
                break;
            }

            if (header->cmsg_level == socket_h.SOL_SOCKET && header->cmsg_type == socket_h.SCM_RIGHTS)
            {
                int count = ((int)header->cmsg_len - sizeof(cmsghdr)) / sizeof(int);
                int* numbers = (int*)(control + at + sizeof(cmsghdr));
                for (int i = 0; i < count; i++)
                {
                    if (taken < descriptors.Length)
                    {
                        descriptors[taken++] = new SafeFileHandle(numbers[i], ownsHandle: true);
                    }
                    else
                    {
                        _ = LibC.close(numbers[i]);
                        isOverflowing = true;
                    }
                }
            }

            at += Align((int)header->cmsg_len);
        }

        return taken;
    }

    private static int ControlSize(int descriptorCount) => Align(sizeof(cmsghdr) + (descriptorCount * sizeof(int)));

    private static int Align(int bytes) => (bytes + sizeof(nuint) - 1) & ~(sizeof(nuint) - 1);
}
