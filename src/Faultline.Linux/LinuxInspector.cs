using System;
using System.Buffers;
using System.Collections.Generic;
using System.Threading;
using Faultline.Linux.Abi;

namespace Faultline.Linux;

/// <summary>What <c>/proc/pid</c> shows of an address space.</summary>
internal sealed unsafe class LinuxInspector(int processId) : IAddressSpaceInspector, IDisposable
{
    private const ulong UserAddressEnd = 0x7fff_ffff_f000;

    private readonly Lock _gate = new();
    private LinuxDescriptor? _pagemap;
    private bool _isDisposed;

    public SystemResult<int> ReadPagemap(VirtualAddress start, Span<PagemapEntry> entries)
    {
        Errno errno = EnterPagemap(out LinuxDescriptor pagemap);
        if (errno != Errno.None)
        {
            return new(0, errno);
        }

        int done = 0;
        ulong offset = start.Page.Value * sizeof(ulong);
        fixed (PagemapEntry* pinned = entries)
        {
            while (done < entries.Length)
            {
                nint count = LibC.pread(
                    pagemap.Number,
                    pinned + done,
                    (nuint)(entries.Length - done) * sizeof(ulong),
                    (long)offset + ((long)done * sizeof(ulong)));
                errno = LibC.ErrnoOf(count);
                if (count <= 0)
                {
                    break;
                }

                done += (int)count / sizeof(ulong);
            }
        }

        pagemap.Leave();
        if (done < entries.Length && errno == Errno.None)
        {
            // Nothing to read is either the end of what a process can map, or the end of the process.
            if ((start.AlignDown(PageSize.Small) + ((ulong)done * PageSize.Small)).Value < UserAddressEnd)
            {
                return new(done, Errno.ESRCH);
            }

            entries[done..].Clear();
            done = entries.Length;
        }

        return new(done, errno);
    }

    public PagemapScanResult Scan(in PagemapScanRequest request, Span<PageRegion> regions)
    {
        Errno errno = EnterPagemap(out LinuxDescriptor pagemap);
        if (errno != Errno.None)
        {
            return new(errno, 0, default);
        }

        pm_scan_arg argument = new()
        {
            size = (ulong)sizeof(pm_scan_arg),
            flags = (ulong)request.Flags,
            start = request.Range.Start.Value,
            end = request.Range.End.Value,
            vec_len = (ulong)regions.Length,
            max_pages = request.MaxPages,
            category_inverted = (ulong)request.Inverted,
            category_mask = (ulong)request.Mask,
            category_anyof_mask = (ulong)request.AnyOf,
            return_mask = (ulong)request.Return,
        };

        // The records have the layout of PageRegion, except that the second member is the end: they are converted where they lie.
        int count;
        fixed (PageRegion* pinned = regions)
        {
            argument.vec = (ulong)pinned;
            count = LibC.ioctl(pagemap.Number, fs_h.PAGEMAP_SCAN, &argument);
            errno = LibC.ErrnoOf(count);
        }

        pagemap.Leave();
        if (errno != Errno.None)
        {
            return new(errno, 0, new(argument.walk_end));
        }

        for (int i = 0; i < count; i++)
        {
            AddressRange raw = regions[i].Range;
            regions[i] = regions[i] with { Range = AddressRange.Between(raw.Start, new(raw.Length)) };
        }

        return new(Errno.None, count, new(argument.walk_end));
    }

    public SystemResult<ResidentCounters> GetCounters()
    {
        Span<byte> text = stackalloc byte[4096];
        Errno errno = ProcFile.Read(ProcFile.Status, processId, text, out int length);
        text = text[..length];
        long anonymous = ProcFile.Number(text, "RssAnon:"u8);
        if (errno != Errno.None || anonymous < 0)
        {
            return new(default, Errno.ESRCH);
        }

        return new(
            new(
                (ulong)anonymous << 10,
                (ulong)ProcFile.Number(text, "RssFile:"u8) << 10,
                (ulong)ProcFile.Number(text, "RssShmem:"u8) << 10,
                (ulong)ProcFile.Number(text, "VmSwap:"u8) << 10),
            Errno.None);
    }

    public SystemResult<IReadOnlyList<VmaInfo>> GetMappings(AddressRange within)
    {
        Errno errno = ProcFile.ReadAll(ProcFile.Smaps, processId, out byte[] buffer, out int length);
        if (errno != Errno.None)
        {
            return new([], Errno.ESRCH);
        }

        List<VmaInfo> mappings = SmapsParser.Parse(buffer.AsSpan(0, length), within);
        ArrayPool<byte>.Shared.Return(buffer);
        return new(mappings, Errno.None);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _pagemap?.Dispose();
        }
    }

    // One descriptor for the life of the address space: it stays bound to the memory it was opened on, whoever gets the process number later.
    private Errno EnterPagemap(out LinuxDescriptor pagemap)
    {
        lock (_gate)
        {
            pagemap = null!;
            if (_pagemap is null)
            {
                if (_isDisposed)
                {
                    return Errno.ESRCH;
                }

                Errno errno = ProcFile.Open(ProcFile.Pagemap, processId, fcntl_h.O_RDONLY, out int descriptor);
                if (errno != Errno.None)
                {
                    return errno == Errno.ENOENT ? Errno.ESRCH : errno;
                }

                _pagemap = new LinuxDescriptor(descriptor);
            }

            pagemap = _pagemap;
            return pagemap.TryEnter() ? Errno.None : Errno.ESRCH;
        }
    }
}
