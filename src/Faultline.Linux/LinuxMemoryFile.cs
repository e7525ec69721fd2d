using System;
using System.Runtime.InteropServices;
using Faultline.Linux.Abi;

namespace Faultline.Linux;

/// <summary>A file in memory of the running kernel: memfd, tmpfs or hugetlbfs. After <see cref="Dispose"/> every call answers EBADF.</summary>
public sealed unsafe class LinuxMemoryFile : IMemoryFile
{
    private readonly LinuxDescriptor _descriptor;

    internal LinuxMemoryFile(int descriptor, ulong pageSizeBytes)
    {
        _descriptor = new LinuxDescriptor(descriptor);
        PageSizeBytes = pageSizeBytes;
    }

    /// <inheritdoc/>
    public ulong PageSizeBytes { get; }

    /// <summary>The open descriptor, to be sent to another process. It stays this object's.</summary>
    public SafeHandle Descriptor => _descriptor;

    /// <summary>The descriptor for other classes of the engine.</summary>
    internal LinuxDescriptor LinuxDescriptor => _descriptor;

    /// <summary>Makes a memory file of a descriptor that another process sent, or that was inherited.</summary>
    /// <param name="descriptor">The descriptor. On success it belongs to the file; else it stays the caller's.</param>
    /// <returns>The file, or EBADF.</returns>
    public static SystemResult<LinuxMemoryFile> FromDescriptor(SafeHandle descriptor)
    {
        int number = (int)descriptor.DangerousGetHandle();
        statfs status;
        Errno errno = LibC.ErrnoOf(LibC.fstatfs(number, &status));
        if (errno != Errno.None)
        {
            return new(null!, errno);
        }

        descriptor.SetHandleAsInvalid();
        ulong pageSizeBytes = status.f_type == magic_h.HUGETLBFS_MAGIC ? (ulong)status.f_bsize : PageSize.Small;
        return new(new LinuxMemoryFile(number, pageSizeBytes), Errno.None);
    }

    /// <inheritdoc/>
    public SystemResult<MemoryFileStatus> GetStatus()
    {
        if (!_descriptor.TryEnter())
        {
            return new(default, Errno.EBADF);
        }

        statx status = default;
        byte empty = 0;
        nint result = LibC.syscall(
            SystemCallNumbers.Statx,
            _descriptor.Number,
            (nint)(&empty),
            fcntl_h.AT_EMPTY_PATH,
            (nint)(stat_h.STATX_SIZE | stat_h.STATX_BLOCKS),
            (nint)(&status),
            0);
        Errno errno = LibC.ErrnoOf(result);
        _descriptor.Leave();
        return new(new(status.stx_size, status.stx_blocks), errno);
    }

    /// <inheritdoc/>
    public SystemResult Truncate(ulong size)
    {
        if (!_descriptor.TryEnter())
        {
            return new(Errno.EBADF);
        }

        Errno errno = LibC.ErrnoOf(LibC.ftruncate(_descriptor.Number, (long)size));
        _descriptor.Leave();
        return new(errno);
    }

    /// <inheritdoc/>
    public SystemResult Allocate(ulong offset, ulong length) => Fallocate(0, offset, length);

    /// <inheritdoc/>
    public SystemResult PunchHole(ulong offset, ulong length) =>
        Fallocate(fcntl_h.FALLOC_FL_PUNCH_HOLE | fcntl_h.FALLOC_FL_KEEP_SIZE, offset, length);

    /// <inheritdoc/>
    public SystemResult<int> Read(ulong offset, Span<byte> target)
    {
        if (!_descriptor.TryEnter())
        {
            return new(0, Errno.EBADF);
        }

        fixed (byte* pinned = target)
        {
            nint count = LibC.pread(_descriptor.Number, pinned, (nuint)target.Length, (long)offset);
            Errno errno = LibC.ErrnoOf(count);
            _descriptor.Leave();
            return new(errno == Errno.None ? (int)count : 0, errno);
        }
    }

    /// <inheritdoc/>
    public SystemResult<int> Write(ulong offset, ReadOnlySpan<byte> source)
    {
        if (!_descriptor.TryEnter())
        {
            return new(0, Errno.EBADF);
        }

        fixed (byte* pinned = source)
        {
            nint count = LibC.pwrite(_descriptor.Number, pinned, (nuint)source.Length, (long)offset);
            Errno errno = LibC.ErrnoOf(count);
            _descriptor.Leave();
            return new(errno == Errno.None ? (int)count : 0, errno);
        }
    }

    /// <inheritdoc/>
    public SystemResult<ulong> FindData(ulong offset) => Seek(offset, fcntl_h.SEEK_DATA);

    /// <inheritdoc/>
    public SystemResult<ulong> FindHole(ulong offset) => Seek(offset, fcntl_h.SEEK_HOLE);

    /// <inheritdoc/>
    public SystemResult AddSeals(FileSeals seals) => new(Control(fcntl_h.F_ADD_SEALS, (nint)seals).Errno);

    /// <inheritdoc/>
    public SystemResult<FileSeals> GetSeals()
    {
        SystemResult<int> result = Control(fcntl_h.F_GET_SEALS, 0);
        return new((FileSeals)result.Value, result.Errno);
    }

    /// <inheritdoc/>
    public SystemResult<IMemoryFile> Reopen(FileAccessRights rights)
    {
        if (!_descriptor.TryEnter())
        {
            return new(null!, Errno.EBADF);
        }

        int flags = rights == FileAccessRights.Read ? fcntl_h.O_RDONLY : fcntl_h.O_RDWR;
        Errno errno = ProcFile.Open(ProcFile.Descriptor, _descriptor.Number, flags, out int descriptor);
        _descriptor.Leave();
        return errno == Errno.None ? new(new LinuxMemoryFile(descriptor, PageSizeBytes), errno) : new(null!, errno);
    }

    /// <summary>Closes the file, as soon as no call is inside it. Its mappings live on.</summary>
    public void Dispose() => _descriptor.Dispose();

    private SystemResult Fallocate(int mode, ulong offset, ulong length)
    {
        if (!_descriptor.TryEnter())
        {
            return new(Errno.EBADF);
        }

        Errno errno = LibC.ErrnoOf(LibC.fallocate(_descriptor.Number, mode, (long)offset, (long)length));
        _descriptor.Leave();
        return new(errno);
    }

    // The file position is nobody's: every read and write here names its offset.
    private SystemResult<ulong> Seek(ulong offset, int whence)
    {
        if (!_descriptor.TryEnter())
        {
            return new(0, Errno.EBADF);
        }

        long found = LibC.lseek(_descriptor.Number, (long)offset, whence);
        Errno errno = found == -1 ? LibC.LastErrno() : Errno.None;
        _descriptor.Leave();
        return new(errno == Errno.None ? (ulong)found : 0, errno);
    }

    private SystemResult<int> Control(int command, nint argument)
    {
        if (!_descriptor.TryEnter())
        {
            return new(0, Errno.EBADF);
        }

        int value = LibC.fcntl(_descriptor.Number, command, argument);
        Errno errno = LibC.ErrnoOf(value);
        _descriptor.Leave();
        return new(value, errno);
    }
}
