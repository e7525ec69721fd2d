using System;
using System.Runtime.InteropServices;
using System.Threading;

namespace Faultline.Mm;

/// <summary>
/// Finds writes to where nobody may write: canaries lie before and after the bytes of each chunk, and free frames are filled with a pattern that must still
/// be there when they are handed out (Linux: <c>CONFIG_PAGE_POISONING</c>).
/// </summary>
internal sealed unsafe class MemoryGuard
{
    private const byte FreeByte = 0xA5;
    private const byte CanaryByte = 0xC3;

    /// <summary>Before the bytes lies a whole huge page, so that they stay aligned; its last bytes are the canary.</summary>
    private const nuint LeadBytes = (nuint)PageSize.Huge;

    private const nuint CanaryBytes = (nuint)PageSize.Small;

    private readonly nuint _chunkBytes;

    /// <summary>Frames that were written to while they were free. Guard: atomic.</summary>
    private int _spoiled;

    private uint _spoiledFrame;

    public MemoryGuard(nuint chunkBytes) => _chunkBytes = chunkBytes;

    /// <summary>Allocates the bytes of a chunk between canaries, all of it as free frames have it.</summary>
    public byte* AllocateChunk()
    {
        byte* lead = (byte*)NativeMemory.AlignedAlloc(LeadBytes + _chunkBytes + CanaryBytes, (nuint)PageSize.Huge);
        byte* bytes = lead + LeadBytes;
        NativeMemory.Fill(bytes - CanaryBytes, CanaryBytes, CanaryByte);
        NativeMemory.Fill(bytes + _chunkBytes, CanaryBytes, CanaryByte);
        NativeMemory.Fill(bytes, _chunkBytes, FreeByte);
        return bytes;
    }

    public static void FreeChunk(byte* bytes) => NativeMemory.AlignedFree(bytes - LeadBytes);

    /// <summary>Frames become free.</summary>
    public static void Fill(byte* bytes, int order) => NativeMemory.Fill(bytes, (nuint)PageSize.Small << order, FreeByte);

    /// <summary>Free frames are handed out: they must be as <see cref="Fill"/> left them.</summary>
    public void Check(uint number, byte* bytes, int order)
    {
        if (new ReadOnlySpan<byte>(bytes, (int)PageSize.Small << order).ContainsAnyExcept(FreeByte))
        {
            _spoiledFrame = number;
            Interlocked.Increment(ref _spoiled);
        }
    }

    /// <summary>What happened to free frames, or null.</summary>
    public string? DescribeSpoiled() => Volatile.Read(ref _spoiled) == 0
        ? null
        : $"{_spoiled} folios were written to while they were free, the last of them that of frame {_spoiledFrame}.";

    /// <summary>Whether the canaries of a chunk are as they were.</summary>
    public bool IsWhole(byte* chunk) => IsCanary(chunk - CanaryBytes) && IsCanary(chunk + _chunkBytes);

    private static bool IsCanary(byte* bytes) => !new ReadOnlySpan<byte>(bytes, (int)CanaryBytes).ContainsAnyExcept(CanaryByte);
}
