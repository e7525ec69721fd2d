using System;

namespace Faultline;

/// <summary>
/// A file in memory (Linux: memfd, tmpfs or hugetlbfs inode). Its page cache is what mappings of it share; reading and writing
/// it here is the unregistered way to its pages, which never raises a userfault.
/// </summary>
/// <remarks>All members are safe for concurrent callers. Mappings live on when the file is disposed; calls made afterwards answer EBADF.</remarks>
public interface IMemoryFile : IDisposable
{
    /// <summary>The size of its pages in bytes.</summary>
    ulong PageSizeBytes { get; }

    /// <summary>Size and blocks (fstat(2)).</summary>
    SystemResult<MemoryFileStatus> GetStatus();

    /// <summary>Sets the size (ftruncate(2)); pages beyond the end go, in private mappings too.</summary>
    /// <returns>EINVAL, EPERM (seals), EFBIG, ENOMEM.</returns>
    SystemResult Truncate(ulong size);

    /// <summary>Allocates pages without contents and extends the file (fallocate(2)).</summary>
    /// <returns>EINVAL, EPERM (seals), ENOSPC, ENOMEM, EINTR.</returns>
    SystemResult Allocate(ulong offset, ulong length);

    /// <summary>Makes a hole, keeping the size (fallocate(2), FALLOC_FL_PUNCH_HOLE). Partial pages are zeroed.</summary>
    /// <returns>EINVAL, EPERM (seals).</returns>
    SystemResult PunchHole(ulong offset, ulong length);

    /// <summary>Reads bytes; holes read as zeroes (pread(2)).</summary>
    /// <returns>The bytes read (fewer at the end of the file), or EINVAL, EIO.</returns>
    SystemResult<int> Read(ulong offset, Span<byte> target);

    /// <summary>Writes bytes, allocating pages (pwrite(2)). Hugetlb files cannot be written so.</summary>
    /// <returns>The bytes written, or EINVAL, EPERM (seals), ENOSPC, ENOMEM, EFBIG.</returns>
    SystemResult<int> Write(ulong offset, ReadOnlySpan<byte> source);

    /// <summary>The offset of the first data at or after <paramref name="offset"/> (lseek(2), SEEK_DATA).</summary>
    /// <returns>The offset, or ENXIO (only a hole follows, or the end).</returns>
    SystemResult<ulong> FindData(ulong offset);

    /// <summary>The offset of the first hole at or after <paramref name="offset"/>; the end of the file is one (lseek(2), SEEK_HOLE).</summary>
    /// <returns>The offset, or ENXIO (beyond the end).</returns>
    SystemResult<ulong> FindHole(ulong offset);

    /// <summary>Adds seals (fcntl(2), F_ADD_SEALS).</summary>
    /// <returns>EINVAL, EPERM (sealed), EBUSY (<see cref="FileSeals.Write"/> with a shared writable mapping).</returns>
    SystemResult AddSeals(FileSeals seals);

    /// <summary>The seals so far.</summary>
    SystemResult<FileSeals> GetSeals();

    /// <summary>Opens the same file again.</summary>
    /// <returns>A second handle, or EACCES, EPERM, EMFILE, ENFILE.</returns>
    SystemResult<IMemoryFile> Reopen(FileAccessRights rights);
}
