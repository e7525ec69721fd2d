using System;
using System.Buffers;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores;

/// <summary>
/// A store with a cache on disk before it. It is read in whole blocks; missing blocks beside each other are one read of the store below.
/// </summary>
public sealed class CachedPageStore : IPageStore, IForgetfulStore
{
    private readonly IPageStore _inner;
    private readonly BlockCache _cache;
    private readonly UInt128 _object;
    private readonly int _blockBytes;

    /// <summary>Puts a cache before a store.</summary>
    /// <param name="inner">The store; disposed with this one.</param>
    /// <param name="cache">The cache; it may serve many stores, and stays the caller's.</param>
    /// <param name="identity">What the contents are known by: it must change when they do. An ETag does, a name alone does not.</param>
    /// <param name="blockBytes">The size of a block, a power of two.</param>
    public CachedPageStore(IPageStore inner, BlockCache cache, string identity, int blockBytes = 64 << 10)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentNullException.ThrowIfNull(cache);
        ArgumentException.ThrowIfNullOrEmpty(identity);
        if (!int.IsPow2(blockBytes) || blockBytes is < 4096 or > 16 << 20)
        {
            throw new ArgumentException($"A block of {blockBytes} bytes is not a power of two from 4 KiB to 16 MiB.", nameof(blockBytes));
        }

        _inner = inner;
        _cache = cache;
        _blockBytes = blockBytes;

        // Two sizes of blocks, or of the object, are two objects.
        _object = CacheKey.ObjectOf($"{identity}\n{inner.Length}\n{blockBytes}");
    }

    /// <inheritdoc/>
    public ulong Length => _inner.Length;

    /// <inheritdoc/>
    public int ReadsAtOnce => _inner.ReadsAtOnce;

    /// <inheritdoc/>
    public async ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        if (offset >= Length)
        {
            return StoreRead.Of(0);
        }

        target = target[..(int)Math.Min((ulong)target.Length, Length - offset)];
        if (target.IsEmpty)
        {
            return StoreRead.Of(0);
        }

        long first = (long)(offset / (ulong)_blockBytes);
        int count = (int)((long)((offset + (ulong)target.Length - 1) / (ulong)_blockBytes) - first) + 1;
        byte[] blocks = ArrayPool<byte>.Shared.Rent(checked(count * _blockBytes));
        try
        {
            for (int block = 0; block < count;)
            {
                if (_cache.TryRead(new CacheKey(_object, first + block), BlockOf(blocks, first, block).Span))
                {
                    block++;
                    continue;
                }

                int found = await ReadMissingAsync(blocks, first, block, count, cancellationToken).ConfigureAwait(false);
                block = found;
            }

            blocks.AsMemory((int)(offset - ((ulong)first * (ulong)_blockBytes)), target.Length).CopyTo(target);
            return StoreRead.Of(target.Length);
        }
        catch (Exception cause)
        {
            return StoreRead.Failed(cause);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(blocks);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _inner.Dispose();

    /// <summary>A block that came damaged has a right checksum in the cache, and would stay damaged for ever.</summary>
    void IForgetfulStore.Forget(ulong offset, ulong length)
    {
        for (ulong block = offset / (ulong)_blockBytes; block * (ulong)_blockBytes < offset + length; block++)
        {
            _cache.Forget(new CacheKey(_object, (long)block));
        }

        (_inner as IForgetfulStore)?.Forget(offset, length);
    }

    /// <summary>Reads a block that is not in the cache, and those after it that are not either; gives the first block after them.</summary>
    private async ValueTask<int> ReadMissingAsync(byte[] blocks, long first, int block, int count, CancellationToken cancellation)
    {
        int end = block + 1;
        bool isNextFound = false;
        while (end < count && !(isNextFound = _cache.TryRead(new CacheKey(_object, first + end), BlockOf(blocks, first, end).Span)))
        {
            end++;
        }

        Memory<byte> last = BlockOf(blocks, first, end - 1);
        int start = block * _blockBytes;
        Memory<byte> missing = blocks.AsMemory(start, ((end - 1) * _blockBytes) + last.Length - start);
        await ReadInnerAsync((ulong)(first + block) * (ulong)_blockBytes, missing, cancellation).ConfigureAwait(false);
        for (int kept = block; kept < end; kept++)
        {
            _cache.Keep(new CacheKey(_object, first + kept), BlockOf(blocks, first, kept).Span);
        }

        return isNextFound ? end + 1 : end;
    }

    private async ValueTask ReadInnerAsync(ulong offset, Memory<byte> target, CancellationToken cancellation)
    {
        StoreRead read = await _inner.ReadAsync(offset, target, cancellation).ConfigureAwait(false);
        if (read.Cause is { } cause)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(cause);
        }

        if (read.BytesRead != target.Length)
        {
            throw new System.IO.EndOfStreamException($"{target.Length} bytes at {offset} were wanted, and {read.BytesRead} are there.");
        }
    }

    /// <summary>A block's part of the buffer; the last of the object may be shorter.</summary>
    private Memory<byte> BlockOf(byte[] blocks, long first, int block)
    {
        ulong start = (ulong)(first + block) * (ulong)_blockBytes;
        return blocks.AsMemory(block * _blockBytes, (int)Math.Min((ulong)_blockBytes, Length - start));
    }
}
