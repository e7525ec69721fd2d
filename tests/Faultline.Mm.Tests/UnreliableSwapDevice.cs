using System;
using System.Threading;

namespace Faultline.Mm.Tests;

/// <summary>A swap device that fails one write in sixteen and one read in sixty-four, by seed. What it did write it can read.</summary>
internal sealed class UnreliableSwapDevice(uint pageCount, int seed) : ISwapDevice
{
    private const uint Multiplier = 0x9E3779B1;

    private readonly MemorySwapDevice _memory = new(pageCount);
    private int _calls = seed;

    public uint PageCount => _memory.PageCount;

    public bool TryWrite(uint page, ReadOnlySpan<byte> source) => !Fails(oneIn: 16) && _memory.TryWrite(page, source);

    public bool TryRead(uint page, Span<byte> target) => !Fails(oneIn: 64) && _memory.TryRead(page, target);

    public void Dispose() => _memory.Dispose();

    private bool Fails(uint oneIn) => ((uint)Interlocked.Increment(ref _calls) * Multiplier >> 16) % oneIn == 0;
}
