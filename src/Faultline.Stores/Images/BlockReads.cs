using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores;

/// <summary>Reads a whole store in blocks, several at a time: as many as there are processors, or as the store has requests under way at a time.</summary>
/// <remarks>Reading an image unpacks and checks it, so blocks of a local image are read on as many threads.</remarks>
internal sealed class BlockReads
{
    private const int LeastBlockBytes = 1 << 20;

    /// <summary>Blocks in memory at a time, in bytes, whatever the store can do.</summary>
    private const int MostBytes = 64 << 20;

    private const int MostReads = 64;

    private readonly IPageStore _source;
    private readonly IProgress<ImageProgress>? _progress;
    private readonly Lock _lock = new();

    /// <summary>Guard: the lock.</summary>
    private ulong _done;

    public BlockReads(IPageStore source, IProgress<ImageProgress>? progress)
    {
        _source = source;
        _progress = progress;

        // Whole chunks: no two reads unpack the same one.
        BlockBytes = Math.Max(LeastBlockBytes, (source as ImagePageStore)?.ChunkBytes ?? 0);
        int wanted = source.ReadsAtOnce == int.MaxValue ? Environment.ProcessorCount : Math.Min(source.ReadsAtOnce, MostReads);
        AtOnce = Math.Clamp(wanted, 1, Math.Max(1, MostBytes / BlockBytes));
    }

    public int BlockBytes { get; }

    /// <summary>How many reads are under way at a time.</summary>
    public int AtOnce { get; }

    /// <summary>Reads every block, and hands them out one at a time, from first to last.</summary>
    /// <param name="visit">Receives a block; it may use it until it returns.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task ForEachInOrderAsync(Func<ulong, ReadOnlyMemory<byte>, ValueTask> visit, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Queue<(Task Read, ulong Offset, byte[] Buffer)> reads = new();
        Stack<byte[]> spares = new();
        ulong next = 0;
        try
        {
            while (next < _source.Length || reads.Count != 0)
            {
                while (next < _source.Length && reads.Count < AtOnce)
                {
                    byte[] free = spares.TryPop(out byte[]? spare) ? spare : new byte[BlockBytes];
                    reads.Enqueue((ReadAsync(next, free, stop.Token), next, free));
                    next += (ulong)LengthAt(next);
                }

                (Task read, ulong offset, byte[] buffer) = reads.Dequeue();
                await read.ConfigureAwait(false);
                await visit(offset, buffer.AsMemory(0, LengthAt(offset))).ConfigureAwait(false);
                Report(LengthAt(offset));
                spares.Push(buffer);
            }
        }
        finally
        {
            // None may read on after this: the source may be closed next.
            await stop.CancelAsync().ConfigureAwait(false);
            foreach ((Task read, _, _) in reads)
            {
                await read.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Has every block visited by whoever comes to it, several at a time and in no order.</summary>
    /// <param name="visit">Reads and uses the block at an offset, with a buffer of its length that is its own until it returns.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task ForEachAsync(Func<ulong, Memory<byte>, CancellationToken, ValueTask> visit, CancellationToken cancellation)
    {
        long blocks = (long)((_source.Length + (ulong)BlockBytes - 1) / (ulong)BlockBytes);
        long next = 0;
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation };
        return Parallel.ForAsync(0, (int)Math.Min(AtOnce, blocks), options, async (_, token) =>
        {
            byte[] buffer = new byte[BlockBytes];
            for (long block = Interlocked.Increment(ref next) - 1; block < blocks; block = Interlocked.Increment(ref next) - 1)
            {
                token.ThrowIfCancellationRequested();
                ulong offset = (ulong)block * (ulong)BlockBytes;
                int length = LengthAt(offset);
                await visit(offset, buffer.AsMemory(0, length), token).ConfigureAwait(false);
                Report(length);
            }
        });
    }

    private Task ReadAsync(ulong offset, byte[] buffer, CancellationToken cancellation) =>
        Task.Run(() => _source.ReadExactlyAsync(offset, buffer.AsMemory(0, LengthAt(offset)), cancellation).AsTask(), cancellation);

    private int LengthAt(ulong offset) => (int)Math.Min((ulong)BlockBytes, _source.Length - offset);

    private void Report(int length)
    {
        // Under the lock, so that a bar never goes back.
        lock (_lock)
        {
            _done += (ulong)length;
            _progress?.Report(new ImageProgress(_done, _source.Length));
        }
    }
}
