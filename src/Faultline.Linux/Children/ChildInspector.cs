using System;
using System.Collections.Generic;

namespace Faultline.Linux.Children;

/// <summary>
/// What <c>/proc/pid</c> shows of a child, without the arena, which is ours and not the address space's. Answers ESRCH when the process
/// has ended, whoever has its number now.
/// </summary>
internal sealed class ChildInspector : IAddressSpaceInspector, IDisposable
{
    private readonly ChildProcess _process;
    private readonly LinuxInspector _inspector;

    internal ChildInspector(ChildProcess process)
    {
        _process = process;
        _inspector = new LinuxInspector(process.Id);
    }

    public SystemResult<int> ReadPagemap(VirtualAddress start, Span<PagemapEntry> entries)
    {
        if (!_process.TryEnter())
        {
            return new(0, Errno.ESRCH);
        }

        SystemResult<int> result = _inspector.ReadPagemap(start, entries);
        _process.Leave();
        return result;
    }

    public PagemapScanResult Scan(in PagemapScanRequest request, Span<PageRegion> regions)
    {
        if (!_process.TryEnter())
        {
            return new(Errno.ESRCH, 0, default);
        }

        PagemapScanResult result = _inspector.Scan(in request, regions);
        _process.Leave();
        return result;
    }

    public SystemResult<ResidentCounters> GetCounters()
    {
        if (!_process.TryEnter())
        {
            return new(default, Errno.ESRCH);
        }

        SystemResult<ResidentCounters> result = _inspector.GetCounters();
        if (result.IsOk)
        {
            ulong ours = Math.Min(ArenaBytes(), result.Value.Shmem);
            result = new(result.Value with { Shmem = result.Value.Shmem - ours }, Errno.None);
        }

        _process.Leave();
        return result;
    }

    public SystemResult<IReadOnlyList<VmaInfo>> GetMappings(AddressRange within)
    {
        if (!_process.TryEnter())
        {
            return new([], Errno.ESRCH);
        }

        SystemResult<IReadOnlyList<VmaInfo>> result = _inspector.GetMappings(within);
        if (result.IsOk)
        {
            List<VmaInfo> mappings = [];
            foreach (VmaInfo mapping in result.Value)
            {
                if (!mapping.Range.Overlaps(_process.Arena.Range))
                {
                    mappings.Add(mapping);
                }
            }

            result = new(mappings, Errno.None);
        }

        _process.Leave();
        return result;
    }

    /// <inheritdoc cref="LinuxInspector.Peek"/>
    internal int Peek(VirtualAddress start, Span<byte> target)
    {
        if (!_process.TryEnter())
        {
            return 0;
        }

        int done = _inspector.Peek(start, target);
        _process.Leave();
        return done;
    }

    public void Dispose() => _inspector.Dispose();

    private ulong ArenaBytes()
    {
        Span<PageRegion> regions = stackalloc PageRegion[64];
        AddressRange left = _process.Arena.Used;
        ulong bytes = 0;
        while (left.Length > 0)
        {
            PagemapScanRequest request = new() { Range = left, Mask = PageCategories.Present, Return = PageCategories.Present };
            PagemapScanResult result = _inspector.Scan(in request, regions);
            if (!result.IsOk)
            {
                return ArenaBytesBySmaps();
            }

            foreach (PageRegion region in regions[..result.Count])
            {
                bytes += region.Range.Length;
            }

            left = AddressRange.Between(result.WalkEnd, left.End);
        }

        return bytes;
    }

    // Before Linux 6.7.
    private ulong ArenaBytesBySmaps()
    {
        ulong bytes = 0;
        foreach (VmaInfo mapping in _inspector.GetMappings(_process.Arena.Range).Value)
        {
            bytes += mapping.Resident;
        }

        return bytes;
    }
}
