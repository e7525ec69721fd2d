using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores;

/// <summary>Reads of a store that either succeed whole or throw.</summary>
internal static class StoreReading
{
    /// <summary>Fills a buffer.</summary>
    /// <exception cref="IOException">The store ends before the buffer is full.</exception>
    public static async ValueTask ReadExactlyAsync(this IPageStore store, ulong offset, Memory<byte> target, CancellationToken cancellation)
    {
        StoreRead read = await store.ReadAsync(offset, target, cancellation).ConfigureAwait(false);
        if (read.Cause is { } cause)
        {
            throw new IOException($"{target.Length} bytes at {offset} could not be read: {cause.Message}", cause);
        }

        if (read.BytesRead != target.Length)
        {
            throw new EndOfStreamException($"{target.Length} bytes at {offset} were wanted, and {read.BytesRead} are there.");
        }
    }
}
