using System;
using System.Buffers.Text;
using System.Text;
using Faultline.Linux.Abi;

namespace Faultline.Linux;

/// <summary>Makes memory files: memfds, and unnamed files in a tmpfs of limited size that is mounted nowhere.</summary>
internal static unsafe class MemoryFileFactory
{
    internal static SystemResult<IMemoryFile> Create(in MemoryFileOptions options)
    {
        if (options.LimitBytes != 0 && options.HugePages)
        {
            return new(null!, Errno.EOPNOTSUPP);
        }

        Errno errno = options.LimitBytes == 0
            ? CreateMemfd(options.Name ?? "faultline", options.HugePages, out int descriptor)
            : CreateLimited(options.LimitBytes, out descriptor);
        if (errno == Errno.None)
        {
            errno = LibC.ErrnoOf(LibC.ftruncate(descriptor, (long)options.Size));
            if (errno == Errno.None)
            {
                return new(new LinuxMemoryFile(descriptor, options.HugePages ? PageSize.Huge : PageSize.Small), Errno.None);
            }

            _ = LibC.close(descriptor);
        }

        return new(null!, errno);
    }

    private static Errno CreateMemfd(string name, bool isHuge, out int descriptor)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name + "\0");
        uint flags = memfd_h.MFD_CLOEXEC | memfd_h.MFD_ALLOW_SEALING;
        fixed (byte* pinned = bytes)
        {
            descriptor = LibC.memfd_create(pinned, isHuge ? flags | memfd_h.MFD_HUGETLB | memfd_h.MFD_HUGE_2MB : flags);
        }

        return LibC.ErrnoOf(descriptor);
    }

    // fsopen(2), fsconfig(2), fsmount(2): the mount is attached nowhere and goes with the last file in it.
    private static Errno CreateLimited(ulong limitBytes, out int descriptor)
    {
        descriptor = -1;
        Span<byte> size = stackalloc byte[32];
        _ = Utf8Formatter.TryFormat(limitBytes, size, out int digits);
        size[digits] = 0;
        fixed (byte* tmpfs = "tmpfs\0"u8, sizeKey = "size\0"u8, sizeText = size, dot = ".\0"u8)
        {
            int context = (int)LibC.syscall(unistd_shared.SYS_fsopen, (nint)tmpfs, (nint)mount_h.FSOPEN_CLOEXEC, 0, 0, 0, 0);
            if (context == -1)
            {
                return Unavailable(LibC.LastErrno());
            }

            nint result = LibC.syscall(unistd_shared.SYS_fsconfig, context, (nint)mount_h.FSCONFIG_SET_STRING, (nint)sizeKey, (nint)sizeText, 0, 0);
            if (result == 0)
            {
                result = LibC.syscall(unistd_shared.SYS_fsconfig, context, (nint)mount_h.FSCONFIG_CMD_CREATE, 0, 0, 0, 0);
            }

            int mount = result == 0
                ? (int)LibC.syscall(unistd_shared.SYS_fsmount, context, (nint)mount_h.FSMOUNT_CLOEXEC, 0, 0, 0, 0)
                : -1;
            Errno errno = LibC.ErrnoOf(mount);
            _ = LibC.close(context);
            if (mount == -1)
            {
                return Unavailable(errno);
            }

            int temporary = SystemCallNumbers.IsX64 ? fcntl_x86_64.O_TMPFILE : fcntl_arm64.O_TMPFILE;
            descriptor = LibC.openat(mount, dot, temporary | fcntl_h.O_RDWR | fcntl_h.O_CLOEXEC, 384);
            errno = LibC.ErrnoOf(descriptor);
            _ = LibC.close(mount);
            return errno;
        }
    }

    // No right to mount, or a kernel without these calls: a limit cannot be had here.
    private static Errno Unavailable(Errno errno) => errno is Errno.EPERM or Errno.ENOSYS or Errno.ENODEV ? Errno.EOPNOTSUPP : errno;
}
