using System;
using System.Buffers.Binary;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Paging.Tests;

/// <summary>A store of known words that takes writes. They may fail, or wait, where a test says so; a write that fails changes nothing.</summary>
public sealed class WritableTestStore : IWritablePageStore
{
    private readonly Lock _lock = new();
    private readonly byte[] _contents;
    private long _writes;

    public WritableTestStore(ulong length)
    {
        _contents = new byte[length];
        for (int i = 0; i < _contents.Length; i += 8)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_contents.AsSpan(i), TestStore.WordAt((ulong)i));
        }
    }

    /// <summary>Which writes fail, by the page they begin at.</summary>
    public Func<ulong, bool> Fails { get; set; } = static _ => false;

    /// <summary>What every write waits for.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public ulong Length => (ulong)_contents.Length;

    public long Writes => Volatile.Read(ref _writes);

    public ulong WordAt(ulong offset)
    {
        lock (_lock)
        {
            return BinaryPrimitives.ReadUInt64LittleEndian(_contents.AsSpan((int)offset));
        }
    }

    public void Clear(ulong offset, int length)
    {
        lock (_lock)
        {
            _contents.AsSpan((int)offset, length).Clear();
        }
    }

    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _contents.AsSpan((int)offset, target.Length).CopyTo(target.Span);
        }

        return new(StoreRead.Of(target.Length));
    }

    public async ValueTask<StoreWrite> WriteAsync(ulong offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _writes);
        await Gate;
        if (Fails(offset / PageSize.Small))
        {
            return StoreWrite.Failed(new System.IO.IOException("The test's disk takes nothing."));
        }

        lock (_lock)
        {
            source.Span.CopyTo(_contents.AsSpan((int)offset));
        }

        return StoreWrite.Done;
    }

    public void Dispose()
    {
        // The tests look at the contents afterwards.
    }
}
