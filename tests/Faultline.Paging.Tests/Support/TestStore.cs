using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Paging.Tests;

/// <summary>
/// A store whose every word is known. It may answer late, fail, or never answer, where and when a test says so; it never gives wrong bytes and never
/// answers twice. It counts how often each page was read.
/// </summary>
public sealed class TestStore(ulong length) : IPageStore
{
    private readonly Lock _lock = new();
    private readonly int[] _reads = new int[(int)PageCount.FromBytes(length).Value];
    private readonly List<(TaskCompletionSource<StoreRead> Answer, ulong Offset, Memory<byte> Target)> _stalled = [];

    /// <summary>Which pages are zero.</summary>
    public Func<ulong, bool> IsZeroPage { get; init; } = static _ => false;

    /// <summary>Which reads fail, by the page they begin at.</summary>
    public Func<ulong, bool> Fails { get; set; } = static _ => false;

    /// <summary>A page no read of which succeeds, however many others it brings; or none.</summary>
    public ulong? BadPage { get; set; }

    /// <summary>Which reads are not answered until <see cref="Release"/>, by the page they begin at.</summary>
    public Func<ulong, bool> Stalls { get; set; } = static _ => false;

    /// <summary>Whether answers come on another thread.</summary>
    public bool AnswersLater { get; set; }

    /// <summary>Reads answer this many bytes less than they should.</summary>
    public int ShortBy { get; set; }

    public bool IsDisposed { get; private set; }

    public ulong Length { get; } = length;

    public int StalledReads
    {
        get
        {
            lock (_lock)
            {
                return _stalled.Count;
            }
        }
    }

    /// <summary>The word at a multiple of eight.</summary>
    public static ulong WordAt(ulong offset) => (offset + 1) * 0x9E3779B97F4A7C15UL | 1;

    public ulong Expected(ulong offset) => offset + 8 > Length || IsZeroPage(offset / PageSize.Small) ? 0 : WordAt(offset);

    public int ReadsOf(ulong page) => Volatile.Read(ref _reads[(int)page]);

    public int MostReads()
    {
        int most = 0;
        for (int i = 0; i < _reads.Length; i++)
        {
            most = Math.Max(most, Volatile.Read(ref _reads[i]));
        }

        return most;
    }

    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        ulong page = offset / PageSize.Small;
        for (ulong i = page; i < (offset + (ulong)target.Length + PageSize.Small - 1) / PageSize.Small; i++)
        {
            Interlocked.Increment(ref _reads[(int)i]);
        }

        bool isBad = BadPage is { } bad && bad >= page && bad * PageSize.Small < offset + (ulong)target.Length;
        if (Fails(page) || isBad)
        {
            return new(StoreRead.Failed(new System.IO.IOException("The test's disk is broken.")));
        }

        lock (_lock)
        {
            if (Stalls(page))
            {
                TaskCompletionSource<StoreRead> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
                _stalled.Add((answer, offset, target));
                return new(answer.Task);
            }
        }

        if (AnswersLater)
        {
            return new(Task.Run(() => Fill(offset, target.Span), CancellationToken.None));
        }

        return new(Fill(offset, target.Span));
    }

    /// <summary>Answers the reads that were held back.</summary>
    public void Release()
    {
        Stalls = static _ => false;
        List<(TaskCompletionSource<StoreRead> Answer, ulong Offset, Memory<byte> Target)> stalled;
        lock (_lock)
        {
            stalled = [.. _stalled];
            _stalled.Clear();
        }

        foreach ((TaskCompletionSource<StoreRead> answer, ulong offset, Memory<byte> target) in stalled)
        {
            answer.SetResult(Fill(offset, target.Span));
        }
    }

    public void Dispose() => IsDisposed = true;

    private StoreRead Fill(ulong offset, Span<byte> target)
    {
        for (int i = 0; i + 8 <= target.Length; i += 8)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(target[i..], Expected(offset + (ulong)i));
        }

        target[(target.Length & ~7)..].Clear();
        return StoreRead.Of(Math.Max(0, target.Length - ShortBy));
    }
}
