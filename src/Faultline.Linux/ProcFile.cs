using System;
using System.Buffers.Text;
using Faultline.Linux.Abi;

namespace Faultline.Linux;

/// <summary>Reads small files of <c>/proc</c> without allocating.</summary>
internal static unsafe class ProcFile
{
    /// <summary>The fdinfo file of a descriptor of this process.</summary>
    internal static ReadOnlySpan<byte> DescriptorInfo => "/proc/self/fdinfo/#"u8;

    /// <summary>A descriptor of this process, to be opened again.</summary>
    internal static ReadOnlySpan<byte> Descriptor => "/proc/self/fd/#"u8;

    /// <summary>The system call that a thread sleeps in.</summary>
    internal static ReadOnlySpan<byte> ThreadCall => "/proc/#/syscall"u8;

    /// <summary>The function of the kernel that a thread sleeps in.</summary>
    internal static ReadOnlySpan<byte> WaitChannel => "/proc/#/wchan"u8;

    /// <summary>The status file of a process.</summary>
    internal static ReadOnlySpan<byte> Status => "/proc/#/status"u8;

    /// <summary>The page-table view of a process.</summary>
    internal static ReadOnlySpan<byte> Pagemap => "/proc/#/pagemap"u8;

    /// <summary>The memory of a process.</summary>
    internal static ReadOnlySpan<byte> Memory => "/proc/#/mem"u8;

    /// <summary>The mappings of a process and what they hold.</summary>
    internal static ReadOnlySpan<byte> Smaps => "/proc/#/smaps"u8;

    /// <summary>The sums over the mappings of a process.</summary>
    internal static ReadOnlySpan<byte> SmapsRollup => "/proc/#/smaps_rollup"u8;

    /// <summary>Opens a file read-only; <c>#</c> in the pattern stands for the number.</summary>
    /// <returns>The descriptor, or the error.</returns>
    internal static Errno Open(ReadOnlySpan<byte> pattern, int number, int flags, out int descriptor)
    {
        Span<byte> path = stackalloc byte[pattern.Length + 16];
        int hash = pattern.IndexOf((byte)'#');
        pattern[..hash].CopyTo(path);
        _ = Utf8Formatter.TryFormat(number, path[hash..], out int digits);
        pattern[(hash + 1)..].CopyTo(path[(hash + digits)..]);
        path[pattern.Length - 1 + digits] = 0;
        fixed (byte* pinned = path)
        {
            descriptor = LibC.open(pinned, flags | fcntl_h.O_CLOEXEC, 0);
        }

        return LibC.ErrnoOf(descriptor);
    }

    /// <summary>Reads as much of a file as fits.</summary>
    internal static Errno Read(ReadOnlySpan<byte> pattern, int number, Span<byte> target, out int length)
    {
        length = 0;
        Errno errno = Open(pattern, number, fcntl_h.O_RDONLY, out int descriptor);
        if (errno != Errno.None)
        {
            return errno;
        }

        fixed (byte* pinned = target)
        {
            while (length < target.Length)
            {
                nint count = LibC.read(descriptor, pinned + length, (nuint)(target.Length - length));
                errno = LibC.ErrnoOf(count);
                if (count <= 0)
                {
                    break;
                }

                length += (int)count;
            }
        }

        _ = LibC.close(descriptor);
        return errno;
    }

    /// <summary>Reads a file that is kept open, from its beginning; as much as fits.</summary>
    internal static Errno Read(LinuxDescriptor file, Span<byte> target, out int length)
    {
        length = 0;
        if (!file.TryEnter())
        {
            return Errno.EBADF;
        }

        Errno errno = Errno.None;
        fixed (byte* pinned = target)
        {
            while (length < target.Length)
            {
                nint count = LibC.pread(file.Number, pinned + length, (nuint)(target.Length - length), length);
                errno = LibC.ErrnoOf(count);
                if (count <= 0)
                {
                    break;
                }

                length += (int)count;
            }
        }

        file.Leave();
        return errno;
    }

    /// <summary>The decimal number after a label, or -1 if the label is not there.</summary>
    internal static long Number(ReadOnlySpan<byte> text, ReadOnlySpan<byte> label)
    {
        int at = text.IndexOf(label);
        if (at < 0)
        {
            return -1;
        }

        ReadOnlySpan<byte> rest = text[(at + label.Length)..].TrimStart(" \t"u8);
        return Utf8Parser.TryParse(rest, out long value, out _) ? value : -1;
    }
}
