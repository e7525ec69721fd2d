using System;
using System.Threading;

namespace Faultline.Mm.Tests;

/// <summary>A swap device that fails on demand: writes, reads, or single pages of either. What it was told to keep it keeps.</summary>
internal sealed class FaultySwapDevice(uint pageCount) : ISwapDevice
{
    private readonly MemorySwapDevice _memory = new(pageCount);
    private int _writes;
    private int _reads;

    /// <summary>Whether writes fail from now on.</summary>
    public bool FailsWrites { get; set; }

    /// <summary>Whether reads fail from now on.</summary>
    public bool FailsReads { get; set; }

    /// <summary>Writes asked for so far.</summary>
    public int Writes => Volatile.Read(ref _writes);

    /// <summary>Reads asked for so far.</summary>
    public int Reads => Volatile.Read(ref _reads);

    public uint PageCount => _memory.PageCount;

    public bool TryWrite(uint page, ReadOnlySpan<byte> source)
    {
        Interlocked.Increment(ref _writes);
        return !FailsWrites && _memory.TryWrite(page, source);
    }

    public bool TryRead(uint page, Span<byte> target)
    {
        Interlocked.Increment(ref _reads);
        return !FailsReads && _memory.TryRead(page, target);
    }

    public void Dispose() => _memory.Dispose();
}
