using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace Faultline.Mm;

/// <summary>
/// Physical memory: frames of real bytes, and one record a frame. The bytes come from the system in chunks, when frames of the
/// chunk are first needed, and a chunk's bytes cost nothing until they are touched.
/// </summary>
/// <remarks>
/// Frame zero is never handed out, so zero means "no frame" everywhere. Bytes and records stay where they are until disposal: stale
/// frame numbers may be looked at without harm, which the lock-free look-ups rely on.
/// </remarks>
internal sealed unsafe class PhysicalMemory : IDisposable
{
    /// <summary>The size of a <see cref="Frame"/>: one cache line, so that two frames never share one.</summary>
    public const int BytesPerFrameRecord = 64;

    /// <summary>log2 of the frames in a chunk (32 MiB).</summary>
    public const int ChunkShift = 13;

    /// <summary>The order of a huge folio: 2 MiB.</summary>
    public const int HugeOrder = PageSize.HugeShift - PageSize.SmallShift;

    private const uint FramesPerChunk = 1U << ChunkShift;

    private readonly byte** _chunks;
    private readonly int _chunkCount;
    private Frame* _frames;

    /// <summary>Chunks in use. Guard: the buddy lock (grows only).</summary>
    private int _chunksInUse;

    /// <param name="sizeBytes">How much there is.</param>
    /// <param name="isGuarded">Whether writes outside of frames, and to free ones, are to be found.</param>
    public PhysicalMemory(ulong sizeBytes, bool isGuarded = false)
    {
        ulong chunkBytes = PageSize.Small << ChunkShift;
        _chunkCount = checked((int)((sizeBytes + chunkBytes - 1) / chunkBytes));
        ArgumentOutOfRangeException.ThrowIfZero(_chunkCount, nameof(sizeBytes));
        FrameCount = checked((uint)_chunkCount << ChunkShift);
        Guard = isGuarded ? new MemoryGuard((nuint)chunkBytes) : null;
        _chunks = (byte**)NativeMemory.AllocZeroed((nuint)_chunkCount, (nuint)sizeof(byte*));
        _frames = (Frame*)NativeMemory.AllocZeroed(FrameCount, BytesPerFrameRecord);
    }

    /// <summary>The frames there can be.</summary>
    public uint FrameCount { get; }

    /// <summary>The frames that have bytes.</summary>
    public uint PopulatedFrames => (uint)Volatile.Read(ref _chunksInUse) << ChunkShift;

    /// <summary>Finds writes to where nobody may write; null if nobody asked for it.</summary>
    public MemoryGuard? Guard { get; }

    /// <summary>The record of a frame.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Frame* FrameAt(uint number) => _frames + number;

    /// <summary>The folio a frame belongs to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Folio FolioAt(uint number) => new(_frames + _frames[number].Head);

    /// <summary>The 4096 bytes of a frame. Frames of one folio follow each other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* BytesAt(uint number) =>
        _chunks[number >> ChunkShift] + ((nuint)(number & (FramesPerChunk - 1)) << PageSize.SmallShift);

    /// <summary>The bytes of a frame as a span.</summary>
    public Span<byte> SpanAt(uint number) => new(BytesAt(number), (int)PageSize.Small);

    /// <summary>Gives one more chunk its bytes. Called under the buddy lock.</summary>
    /// <param name="first">The chunk's first frame.</param>
    /// <returns>Whether there was one more, and the system had memory for it.</returns>
    public bool TryGrow(out uint first)
    {
        first = (uint)_chunksInUse << ChunkShift;
        if (_chunksInUse == _chunkCount)
        {
            return false;
        }

        try
        {
            _chunks[_chunksInUse] = Guard is null
                ? (byte*)NativeMemory.AlignedAlloc((nuint)FramesPerChunk << PageSize.SmallShift, (nuint)PageSize.Huge)
                : Guard.AllocateChunk();
        }
        catch (OutOfMemoryException)
        {
            return false;
        }

        for (uint number = first; number < first + FramesPerChunk; number++)
        {
            _frames[number].Number = number;
            _frames[number].Head = number;
        }

        Volatile.Write(ref _chunksInUse, _chunksInUse + 1);
        return true;
    }

    /// <summary>What was written to that nobody may write to, if <see cref="Guard"/> looks for it.</summary>
    public IReadOnlyList<string> FindViolations()
    {
        List<string> violations = [];
        if (Guard?.DescribeSpoiled() is { } spoiled)
        {
            violations.Add(spoiled);
        }

        for (int chunk = 0; Guard is not null && chunk < Volatile.Read(ref _chunksInUse); chunk++)
        {
            if (!Guard.IsWhole(_chunks[chunk]))
            {
                violations.Add($"Somebody wrote beside the frames of chunk {chunk}.");
            }
        }

        return violations;
    }

    /// <summary>Gives everything back to the system. Nobody may look at a frame afterwards.</summary>
    public void Dispose()
    {
        if (_frames is null)
        {
            return;
        }

        for (int i = 0; i < _chunksInUse; i++)
        {
            if (Guard is null)
            {
                NativeMemory.AlignedFree(_chunks[i]);
            }
            else
            {
                MemoryGuard.FreeChunk(_chunks[i]);
            }
        }

        NativeMemory.Free(_chunks);
        NativeMemory.Free(_frames);
        _frames = null;
    }
}
