using System;
using System.Threading;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>A handle to a file (Linux: the descriptor of a memfd): rights and seals, which are the same for every kind of file.</summary>
internal abstract class FileHandle : IMemoryFile
{
    /// <summary>The largest size: what a signed 64-bit offset can say.</summary>
    protected const ulong LargestSize = long.MaxValue & ~(PageSize.Small - 1);

    private const FileSeals KnownSeals = FileSeals.Seal | FileSeals.Shrink | FileSeals.Grow | FileSeals.Write | FileSeals.FutureWrite;

    private int _isClosed;

    /// <summary>Makes a handle; it takes over one of the caller's references to the file.</summary>
    protected FileHandle(BackingFile file, FileAccessRights rights)
    {
        File = file;
        Rights = rights;
    }

    public BackingFile File { get; }

    public abstract ulong PageSizeBytes { get; }

    protected FileAccessRights Rights { get; }

    protected bool IsClosed => Volatile.Read(ref _isClosed) != 0 || File.System.IsDisposed;

    /// <summary>
    /// Whether, and with which rights to come, the file may be mapped through this handle (Linux: <c>do_mmap</c>,
    /// <c>memfd_check_seals_mmap</c>).
    /// </summary>
    public Errno CheckMapping(ref VmaFlags flags, Protections protection)
    {
        if (IsClosed)
        {
            return Errno.EBADF;
        }

        if ((flags & VmaFlags.Shared) == 0)
        {
            return Errno.None;
        }

        bool wantsWrite = (protection & Protections.Write) != 0;
        if (Rights == FileAccessRights.Read)
        {
            if (wantsWrite)
            {
                return Errno.EACCES;
            }

            flags &= ~VmaFlags.MayWrite;
        }

        if ((File.Seals & (FileSeals.Write | FileSeals.FutureWrite)) != 0)
        {
            if (wantsWrite)
            {
                return Errno.EPERM;
            }

            flags &= ~VmaFlags.MayWrite;
        }

        return Errno.None;
    }

    public SystemResult<MemoryFileStatus> GetStatus() =>
        IsClosed ? new(default, Errno.EBADF) : new(new MemoryFileStatus(File.Size, File.Blocks), Errno.None);

    public SystemResult Truncate(ulong size)
    {
        if (IsClosed)
        {
            return new(Errno.EBADF);
        }

        if (Rights == FileAccessRights.Read || size > long.MaxValue || size % SizeUnit != 0)
        {
            return new(Errno.EINVAL);
        }

        if (size > LargestSize)
        {
            return new(Errno.EFBIG);
        }

        using RankedLock.Scope held = File.Lock.Enter();
        bool isSealed = size < File.Size ? (File.Seals & FileSeals.Shrink) != 0 : size > File.Size && (File.Seals & FileSeals.Grow) != 0;
        if (isSealed)
        {
            return new(Errno.EPERM);
        }

        File.TruncateTo(size);
        return SystemResult.Ok;
    }

    public abstract SystemResult Allocate(ulong offset, ulong length);

    public SystemResult PunchHole(ulong offset, ulong length)
    {
        Errno errno = CheckChange(offset, length);
        if (errno != Errno.None)
        {
            return new(errno);
        }

        using RankedLock.Scope held = File.Lock.Enter();
        if ((File.Seals & (FileSeals.Write | FileSeals.FutureWrite)) != 0)
        {
            return new(Errno.EPERM);
        }

        File.PunchHole(offset, offset + length);
        return SystemResult.Ok;
    }

    public abstract SystemResult<int> Read(ulong offset, Span<byte> target);

    public abstract SystemResult<int> Write(ulong offset, ReadOnlySpan<byte> source);

    public abstract SystemResult<ulong> FindData(ulong offset);

    public abstract SystemResult<ulong> FindHole(ulong offset);

    public SystemResult AddSeals(FileSeals seals)
    {
        if (IsClosed)
        {
            return new(Errno.EBADF);
        }

        if (Rights == FileAccessRights.Read)
        {
            return new(Errno.EPERM);
        }

        if ((seals & ~KnownSeals) != 0)
        {
            return new(Errno.EINVAL);
        }

        using RankedLock.Scope held = File.Lock.Enter();
        if ((File.Seals & FileSeals.Seal) != 0)
        {
            return new(Errno.EPERM);
        }

        if ((seals & FileSeals.Write) != 0 && (File.Seals & FileSeals.Write) == 0)
        {
            using RankedLock.Scope mappings = File.Mappings.Enter();
            if (File.Mappings.HasWritableSharedLocked(in mappings))
            {
                return new(Errno.EBUSY);
            }
        }

        File.Seals |= seals;
        return SystemResult.Ok;
    }

    public SystemResult<FileSeals> GetSeals() => IsClosed ? new(default, Errno.EBADF) : new(File.Seals, Errno.None);

    public SystemResult<IMemoryFile> Reopen(FileAccessRights rights)
    {
        if (IsClosed)
        {
            return new(null!, Errno.EBADF);
        }

        File.AddReference();
        return new(OpenAgain(rights), Errno.None);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) == 0)
        {
            File.RemoveReference();
        }
    }

    /// <summary>Sizes are multiples of this.</summary>
    protected virtual ulong SizeUnit => 1;

    protected abstract IMemoryFile OpenAgain(FileAccessRights rights);

    protected Errno CheckChange(ulong offset, ulong length)
    {
        if (IsClosed || Rights == FileAccessRights.Read)
        {
            return Errno.EBADF;
        }

        if (length == 0 || offset > long.MaxValue || length > long.MaxValue)
        {
            return Errno.EINVAL;
        }

        return offset + length > LargestSize ? Errno.EFBIG : Errno.None;
    }
}
