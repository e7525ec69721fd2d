using System;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>A handle to a file of shmem.</summary>
internal sealed class MemoryFile : FileHandle
{
    /// <summary>Makes a handle; it takes over one of the caller's references to the file.</summary>
    public MemoryFile(ShmemFile backing, FileAccessRights rights)
        : base(backing, rights)
    {
        Backing = backing;
    }

    public ShmemFile Backing { get; }

    public override ulong PageSizeBytes => PageSize.Small;

    public override SystemResult Allocate(ulong offset, ulong length)
    {
        Errno errno = CheckChange(offset, length);
        if (errno != Errno.None)
        {
            return new(errno);
        }

        using RankedLock.Scope held = Backing.Lock.Enter();
        ulong end = offset + length;
        if (end > Backing.Size && (Backing.Seals & FileSeals.Grow) != 0)
        {
            return new(Errno.EPERM);
        }

        for (ulong index = offset >> PageSize.SmallShift; index < PageCount.FromBytes(end).Value; index++)
        {
            errno = Backing.GetFolio(index, ShmemLookup.Fallocate, out Folio folio, out RankedLock.Scope folioLock);
            if (errno != Errno.None)
            {
                return new(errno);
            }

            // Room that was asked for is not taken back: the page counts as changed.
            folio.Set(FolioFlags.Dirty);
            folioLock.Dispose();
            Backing.System.Pool.Put(folio);
        }

        if (end > Backing.Size)
        {
            Backing.SetSize(end);
        }

        return SystemResult.Ok;
    }

    public override SystemResult<int> Read(ulong offset, Span<byte> target)
    {
        if (IsClosed || offset > long.MaxValue)
        {
            return new(0, IsClosed ? Errno.EBADF : Errno.EINVAL);
        }

        int done = 0;
        while (done < target.Length)
        {
            ulong at = offset + (ulong)done;
            ulong size = Backing.Size;
            if (at >= size)
            {
                break;
            }

            int inPage = (int)(at & (PageSize.Small - 1));
            int count = (int)Math.Min(Math.Min((ulong)(target.Length - done), PageSize.Small - (ulong)inPage), size - at);
            Errno errno = Backing.GetFolio(at >> PageSize.SmallShift, ShmemLookup.Read, out Folio folio, out RankedLock.Scope folioLock);
            if (errno == Errno.EINVAL)
            {
                break;
            }

            if (errno != Errno.None)
            {
                return done > 0 ? new(done, Errno.None) : new(0, errno);
            }

            CopyOrClear(folio, at, target.Slice(done, count));
            if (!folio.IsNull)
            {
                folioLock.Dispose();
                Backing.System.Pool.Put(folio);
            }

            done += count;
        }

        return new(done, Errno.None);
    }

    public override SystemResult<int> Write(ulong offset, ReadOnlySpan<byte> source)
    {
        if (IsClosed || Rights == FileAccessRights.Read)
        {
            return new(0, Errno.EBADF);
        }

        if (offset > long.MaxValue)
        {
            return new(0, Errno.EINVAL);
        }

        if (source.Length != 0 && offset + (ulong)source.Length > LargestSize)
        {
            return new(0, Errno.EFBIG);
        }

        using RankedLock.Scope held = Backing.Lock.Enter();
        if ((Backing.Seals & (FileSeals.Write | FileSeals.FutureWrite)) != 0)
        {
            return new(0, Errno.EPERM);
        }

        bool canGrow = (Backing.Seals & FileSeals.Grow) == 0;
        int done = 0;
        while (done < source.Length)
        {
            ulong at = offset + (ulong)done;
            int inPage = (int)(at & (PageSize.Small - 1));
            int count = Math.Min(source.Length - done, (int)PageSize.Small - inPage);

            // Asked for each page, so what lies before the end is written (Linux: shmem_write_begin).
            Errno errno = canGrow || at + (ulong)count <= Backing.Size
                ? WritePage(at >> PageSize.SmallShift, inPage, source.Slice(done, count))
                : Errno.EPERM;
            if (errno != Errno.None)
            {
                return done > 0 ? new(done, Errno.None) : new(0, errno);
            }

            done += count;
            if (at + (ulong)count > Backing.Size)
            {
                Backing.SetSize(at + (ulong)count);
            }
        }

        return new(done, Errno.None);
    }

    public override SystemResult<ulong> FindData(ulong offset)
    {
        if (IsClosed || offset >= Backing.Size)
        {
            return new(0, IsClosed ? Errno.EBADF : Errno.ENXIO);
        }

        using RankedLock.Scope held = Backing.Lock.Enter();
        ulong index = offset >> PageSize.SmallShift;
        while (Backing.Cache.TryFindNext(index, out ulong found, out CacheEntry entry) && found < Backing.SizeInPages)
        {
            if (IsData(entry))
            {
                return new(Math.Max(offset, found << PageSize.SmallShift), Errno.None);
            }

            index = found + 1;
        }

        return new(0, Errno.ENXIO);
    }

    public override SystemResult<ulong> FindHole(ulong offset)
    {
        if (IsClosed || offset >= Backing.Size)
        {
            return new(0, IsClosed ? Errno.EBADF : Errno.ENXIO);
        }

        using RankedLock.Scope held = Backing.Lock.Enter();
        ulong index = offset >> PageSize.SmallShift;
        while (index < Backing.SizeInPages && IsData(Backing.Cache.Find(index)))
        {
            index++;
        }

        return new(Math.Min(Math.Max(offset, index << PageSize.SmallShift), Backing.Size), Errno.None);
    }

    protected override IMemoryFile OpenAgain(FileAccessRights rights) => new MemoryFile(Backing, rights);

    /// <summary>Data is what is valid in memory, and what was swapped out; a page that was only allocated is a hole to lseek.</summary>
    private bool IsData(CacheEntry entry) =>
        entry.IsSwap || (entry.IsFolio && Backing.System.Memory.FolioAt(entry.FrameNumber).Has(FolioFlags.UpToDate));

    private void CopyOrClear(Folio folio, ulong offset, Span<byte> target)
    {
        if (folio.IsNull)
        {
            target.Clear();
        }
        else
        {
            int inPage = (int)(offset & (PageSize.Small - 1));
            Backing.System.Memory.SpanAt(folio.FrameAt(offset >> PageSize.SmallShift)).Slice(inPage, target.Length).CopyTo(target);
        }
    }

    private Errno WritePage(ulong index, int inPage, ReadOnlySpan<byte> source)
    {
        Errno errno = Backing.GetFolio(index, ShmemLookup.Write, out Folio folio, out RankedLock.Scope folioLock);
        if (errno != Errno.None)
        {
            return errno;
        }

        Span<byte> page = Backing.System.Memory.SpanAt(folio.FrameAt(index));
        if (!folio.Has(FolioFlags.UpToDate))
        {
            page[..inPage].Clear();
            page[(inPage + source.Length)..].Clear();
        }

        source.CopyTo(page[inPage..]);
        folio.Set(FolioFlags.UpToDate | FolioFlags.Dirty);
        folioLock.Dispose();
        Backing.System.Pool.Put(folio);
        return Errno.None;
    }
}
