using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Paging.Tests;

/// <summary>
/// A store of known words that answers a read when the test says so, and writes down the order in which reads came. It never answers by itself while
/// <see cref="IsHeld"/>, never gives wrong bytes, and never answers twice.
/// </summary>
public sealed class GatedStore(ulong length, int readsAtOnce) : IPageStore
{
    private readonly Lock _lock = new();
    private readonly List<Held> _held = [];
    private readonly List<int> _begun = [];

    /// <summary>Whether reads wait for <see cref="Answer"/>; otherwise they are answered on another thread.</summary>
    public bool IsHeld { get; set; }

    public ulong Length { get; } = length;

    public int ReadsAtOnce { get; } = readsAtOnce;

    /// <summary>The first page of every read, in the order they came.</summary>
    public IReadOnlyList<int> Begun
    {
        get
        {
            lock (_lock)
            {
                return [.. _begun];
            }
        }
    }

    /// <summary>The first pages of the reads not answered yet.</summary>
    public IReadOnlyList<int> Waiting
    {
        get
        {
            lock (_lock)
            {
                return [.. _held.Select(static held => (int)(held.Offset / PageSize.Small))];
            }
        }
    }

    /// <summary>Answers the read that begins at a page.</summary>
    public void Answer(int firstPage, Exception? cause = null)
    {
        Held read;
        lock (_lock)
        {
            read = _held.Single(held => held.Offset == (ulong)firstPage * PageSize.Small);
            _held.Remove(read);
        }

        read.Answer.SetResult(cause is null ? Fill(read.Offset, read.Target.Span) : StoreRead.Failed(cause));
    }

    /// <summary>Answers what waits, and everything from now on.</summary>
    public void Open()
    {
        IsHeld = false;
        foreach (int page in Waiting)
        {
            Answer(page);
        }
    }

    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _begun.Add((int)(offset / PageSize.Small));
            if (IsHeld)
            {
                Held held = new(new TaskCompletionSource<StoreRead>(TaskCreationOptions.RunContinuationsAsynchronously), offset, target);
                _held.Add(held);
                return new(held.Answer.Task);
            }
        }

        return new(LaterAsync(offset, target));
    }

    public void Dispose()
    {
        // The bytes are computed.
    }

    private static async Task<StoreRead> LaterAsync(ulong offset, Memory<byte> target)
    {
        await Task.Delay(1, CancellationToken.None);
        return Fill(offset, target.Span);
    }

    private static StoreRead Fill(ulong offset, Span<byte> target)
    {
        for (int i = 0; i < target.Length; i += 8)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(target[i..], TestStore.WordAt(offset + (ulong)i));
        }

        return StoreRead.Of(target.Length);
    }

    private sealed record Held(TaskCompletionSource<StoreRead> Answer, ulong Offset, Memory<byte> Target);
}
