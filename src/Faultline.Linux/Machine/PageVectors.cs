using System;

namespace Faultline.Linux.Machine;

/// <summary>
/// The kernel collects pages that are on their way to its LRU lists in small vectors, some for each processor, and cannot reclaim a page that is still in one.
/// A MADV_COLLAPSE of memory that was touched empties all of them first (Linux: <c>lru_add_drain_all</c>).
/// </summary>
internal sealed unsafe class PageVectors : IDisposable
{
    private const int ReadWrite = 3;
    private const int PrivateAnonymous = 0x22;
    private const nuint Length = 4 << 20;

    private readonly nint _area;
    private readonly nint _aligned;

    internal PageVectors()
    {
        _area = LibC.syscall(SystemCallNumbers.Mmap, 0, (nint)Length, ReadWrite, PrivateAnonymous, -1, 0);
        _aligned = (nint)((nuint)(_area + (nint)PageSize.Huge - 1) & ~(nuint)(PageSize.Huge - 1));
        if (_area != -1)
        {
            *(byte*)_aligned = 1;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_area != -1)
        {
            LibC.syscall(SystemCallNumbers.Munmap, _area, (nint)Length, 0, 0, 0, 0);
        }
    }

    /// <summary>Empties them. Beyond the first time there is nothing left to collapse.</summary>
    internal void Drain() => LibC.syscall(SystemCallNumbers.Madvise, _aligned, (nint)PageSize.Huge, (nint)Advice.Collapse, 0, 0, 0);
}
