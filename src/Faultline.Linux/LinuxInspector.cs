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

    // Far more than the text of one mapping, a file name of any length included.
    private const int SmapsBuffer = 1 << 16;

    // Less than the text of one mapping. The kernel makes as much text as is asked for, one mapping at least, and counting the pages of one is what takes
    // time: so no more than one is counted in vain. Not worth the calls if everything is asked for.
    private const int SmapsStep = 700;
    private const ulong PartOfASpace = 1UL << 40;

    private readonly Lock _gate = new();

    // Opened when first needed. Guarded by _gate.
    private LinuxDescriptor? _pagemap;
    private LinuxDescriptor? _status;
    private LinuxDescriptor? _smaps;
    private LinuxDescriptor? _memory;
    private bool _isDisposed;

    public SystemResult<int> ReadPagemap(VirtualAddress start, Span<PagemapEntry> entries)
    {
        Errno errno = Enter(ref _pagemap, ProcFile.Pagemap, out LinuxDescriptor pagemap);
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
        Errno errno = Enter(ref _pagemap, ProcFile.Pagemap, out LinuxDescriptor pagemap);
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
        int length = 0;
        Errno errno = Enter(ref _status, ProcFile.Status, out LinuxDescriptor status);
        if (errno == Errno.None)
        {
            errno = ProcFile.Read(status, text, out length);
            status.Leave();
        }

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
        Errno errno = Enter(ref _smaps, ProcFile.Smaps, out LinuxDescriptor smaps);
        if (errno != Errno.None)
        {
            return new([], Errno.ESRCH);
        }

        List<VmaInfo> mappings = [];
        errno = ReadMappings(smaps, within, mappings);
        smaps.Leave();
        return errno == Errno.None ? new(mappings, Errno.None) : new([], Errno.ESRCH);
    }

    /// <summary>
    /// Reads without a turn of the process and without a change to the entries of present pages (<c>/proc/pid/mem</c>: unlike
    /// process_vm_readv(2), which pins and so takes shared pages for itself). It does not ask for the mapping's protection, and brings in what is missing,
    /// unless a userfaultfd would have to: there it ends.
    /// </summary>
    /// <returns>The bytes read.</returns>
    internal int Peek(VirtualAddress start, Span<byte> target)
    {
        if (Enter(ref _memory, ProcFile.Memory, out LinuxDescriptor memory) != Errno.None)
        {
            return 0;
        }

        nint count;
        fixed (byte* pinned = target)
        {
            count = LibC.pread(memory.Number, pinned, (nuint)target.Length, (long)start.Value);
        }

        memory.Leave();
        return (int)Math.Max(count, 0);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _pagemap?.Dispose();
            _status?.Dispose();
            _smaps?.Dispose();
            _memory?.Dispose();
        }
    }

    // The kernel lists mappings by address: what lies behind the range is not asked for.
    private static Errno ReadMappings(LinuxDescriptor smaps, AddressRange within, List<VmaInfo> mappings)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(SmapsBuffer);
        SmapsParser parser = new(within, mappings);
        int step = within.Length < PartOfASpace ? SmapsStep : SmapsBuffer;
        long offset = 0;
        int kept = 0;
        Errno errno;
        while (true)
        {
            nint count;
            fixed (byte* pinned = &buffer[kept])
            {
                count = LibC.pread(smaps.Number, pinned, (nuint)Math.Min(buffer.Length - kept, step), offset);
                errno = LibC.ErrnoOf(count);
            }

            if (count <= 0)
            {
                break;
            }

            offset += count;
            int filled = kept + (int)count;
            int used = parser.Parse(buffer.AsSpan(0, filled));
            if (parser.IsBehind)
            {
                break;
            }

            kept = filled - used;
            buffer.AsSpan(used, kept).CopyTo(buffer);
        }

        parser.End();
        ArrayPool<byte>.Shared.Return(buffer);
        return errno;
    }

    // One descriptor for the life of the address space: it stays bound to the memory it was opened on, whoever gets the process number later.
    private Errno Enter(ref LinuxDescriptor? slot, ReadOnlySpan<byte> pattern, out LinuxDescriptor file)
    {
        lock (_gate)
        {
            file = null!;
            if (slot is null)
            {
                if (_isDisposed)
                {
                    return Errno.ESRCH;
                }

                Errno errno = ProcFile.Open(pattern, processId, fcntl_h.O_RDONLY, out int descriptor);
                if (errno != Errno.None)
                {
                    return errno == Errno.ENOENT ? Errno.ESRCH : errno;
                }

                slot = new LinuxDescriptor(descriptor);
            }

            file = slot;
            return file.TryEnter() ? Errno.None : Errno.ESRCH;
        }
    }
}
