using System;
using System.Runtime.InteropServices;

namespace Faultline.Mm;

/// <summary>A swap device in memory of its own; a page takes room once it was written.</summary>
public sealed unsafe class MemorySwapDevice : ISwapDevice
{
    private const int PagesPerChunk = 2048;

    private readonly nint[] _chunks;

    /// <summary>Makes a device.</summary>
    /// <param name="pageCount">The pages it can hold.</param>
    public MemorySwapDevice(uint pageCount)
    {
        PageCount = pageCount;
        _chunks = new nint[(pageCount + PagesPerChunk - 1) / PagesPerChunk];
    }

    /// <inheritdoc/>
    public uint PageCount { get; }

    /// <inheritdoc/>
    public bool TryWrite(uint page, ReadOnlySpan<byte> source)
    {
        source.CopyTo(PageAt(page));
        return true;
    }

    /// <inheritdoc/>
    public bool TryRead(uint page, Span<byte> target)
    {
        PageAt(page).CopyTo(target);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (int i = 0; i < _chunks.Length; i++)
        {
            NativeMemory.Free((void*)_chunks[i]);
            _chunks[i] = 0;
        }
    }

    private Span<byte> PageAt(uint page)
    {
        ref nint chunk = ref _chunks[page / PagesPerChunk];
        nint seen = System.Threading.Volatile.Read(ref chunk);
        if (seen == 0)
        {
            nint fresh = (nint)NativeMemory.AllocZeroed(PagesPerChunk, (nuint)PageSize.Small);
            seen = System.Threading.Interlocked.CompareExchange(ref chunk, fresh, 0);
            if (seen == 0)
            {
                seen = fresh;
            }
            else
            {
                NativeMemory.Free((void*)fresh);
            }
        }

        return new Span<byte>((byte*)seen + ((nuint)(page % PagesPerChunk) << PageSize.SmallShift), (int)PageSize.Small);
    }
}
