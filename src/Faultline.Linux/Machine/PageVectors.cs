using System;

namespace Faultline.Linux.Machine;

/// <summary>
/// The kernel collects pages that are on their way to its LRU lists in a small vector for each processor, and cannot reclaim a page that is still in one. A
/// MADV_COLLAPSE empties all of them first, even where there is nothing to collapse (Linux: <c>lru_add_drain_all</c>).
/// </summary>
internal sealed unsafe class PageVectors : IDisposable
{
    private const int Read = 1;
    private const int PrivateAnonymous = 0x22;
    private const nuint Length = 4 << 20;

    private readonly nint _area;

    internal PageVectors() => _area = LibC.syscall(SystemCallNumbers.Mmap, 0, (nint)Length, Read, PrivateAnonymous, -1, 0);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_area != -1)
        {
            LibC.syscall(SystemCallNumbers.Munmap, _area, (nint)Length, 0, 0, 0, 0);
        }
    }

    /// <summary>Empties them. It fails, having done so: the area is never touched.</summary>
    internal void Drain()
    {
        nint aligned = (nint)((nuint)(_area + (nint)PageSize.Huge - 1) & ~(nuint)(PageSize.Huge - 1));
        LibC.syscall(SystemCallNumbers.Madvise, aligned, (nint)PageSize.Huge, (nint)Advice.Collapse, 0, 0, 0);
    }
}
