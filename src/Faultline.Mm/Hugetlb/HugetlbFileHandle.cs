using System;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>A handle to a file of huge pages. It can be read and allocated, but not written: its contents come through mappings.</summary>
internal sealed class HugetlbFileHandle : FileHandle
{
    private const ulong OffsetMask = PageSize.Huge - 1;

    private readonly HugetlbFile _file;

    /// <summary>Makes a handle; it takes over one of the caller's references to the file.</summary>
    public HugetlbFileHandle(HugetlbFile file, FileAccessRights rights)
        : base(file, rights) => _file = file;

    public override ulong PageSizeBytes => PageSize.Huge;

    protected override ulong SizeUnit => PageSize.Huge;

    /// <remarks>Linux: <c>hugetlbfs_fallocate</c>. Unlike shmem's, the pages are cleared at once.</remarks>
    public override SystemResult Allocate(ulong offset, ulong length)
    {
        Errno errno = CheckChange(offset, length);
        if (errno != Errno.None)
        {
            return new(errno);
        }

        using RankedLock.Scope held = _file.Lock.Enter();
        ulong end = offset + length;
        if (end > _file.Size && (_file.Seals & FileSeals.Grow) != 0)
        {
            return new(Errno.EPERM);
        }

        ulong endIndex = (end + OffsetMask) >> PageSize.HugeShift;
        for (ulong index = offset >> PageSize.HugeShift; index < endIndex && errno == Errno.None; index++)
        {
            errno = AllocatePage(index);
        }

        if (errno == Errno.None && end > _file.Size)
        {
            _file.SetSize(end);
        }

        return new(errno);
    }

    /// <remarks>Linux: <c>hugetlbfs_read_iter</c>. A hole reads as zeroes.</remarks>
    public override unsafe SystemResult<int> Read(ulong offset, Span<byte> target)
    {
        if (IsClosed || offset > long.MaxValue)
        {
            return new(0, IsClosed ? Errno.EBADF : Errno.EINVAL);
        }

        int done = 0;
        while (done < target.Length)
        {
            ulong at = offset + (ulong)done;
            ulong size = _file.Size;
            if (at >= size)
            {
                break;
            }

            ulong inPage = at & OffsetMask;
            int count = (int)Math.Min(Math.Min((ulong)(target.Length - done), PageSize.Huge - inPage), size - at);
            Span<byte> part = target.Slice(done, count);
            using RankedLock.Scope held = _file.EnterIndex(at >> PageSize.HugeShift);
            if (_file.TryGetFolio(at >> PageSize.HugeShift, out Folio folio))
            {
                new ReadOnlySpan<byte>(_file.System.Pool.BytesOf(folio) + inPage, count).CopyTo(part);
                _file.System.Pool.Put(folio);
            }
            else
            {
                part.Clear();
            }

            done += count;
        }

        return new(done, Errno.None);
    }

    public override SystemResult<int> Write(ulong offset, ReadOnlySpan<byte> source) =>
        new(0, IsClosed || Rights == FileAccessRights.Read ? Errno.EBADF : Errno.EINVAL);

    /// <remarks>Linux: <c>default_llseek</c>, to which all of a file is data.</remarks>
    public override SystemResult<ulong> FindData(ulong offset) => Find(offset, offset);

    public override SystemResult<ulong> FindHole(ulong offset) => Find(offset, _file.Size);

    protected override IMemoryFile OpenAgain(FileAccessRights rights) => new HugetlbFileHandle(_file, rights);

    private SystemResult<ulong> Find(ulong offset, ulong found) =>
        IsClosed ? new(0, Errno.EBADF) : offset >= _file.Size ? new(0, Errno.ENXIO) : new(found, Errno.None);

    private Errno AllocatePage(ulong index)
    {
        while (true)
        {
            using RankedLock.Scope held = _file.EnterIndex(index);
            if (!_file.Cache.Find(index).IsNone)
            {
                return Errno.None;
            }

            Errno errno = _file.TakeZeroed(_file.Reservation, index, out Folio folio);
            if (errno == Errno.EAGAIN)
            {
                continue;
            }

            if (errno == Errno.None)
            {
                _file.TryInsert(folio, index, mayLieBeyond: true);
                _file.System.Pool.Put(folio);
            }

            return errno;
        }
    }
}
