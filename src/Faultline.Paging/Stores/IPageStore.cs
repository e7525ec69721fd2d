using System;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Paging;

/// <summary>Where the bytes of an image come from.</summary>
/// <remarks>
/// Members are called from several threads at once. A store that can answer without waiting should complete synchronously: the
/// fault is then resolved on the thread that read it.
/// </remarks>
public interface IPageStore : IDisposable
{
    /// <summary>The number of bytes in the store; never changes.</summary>
    ulong Length { get; }

    /// <summary>How many reads it works on at a time; more wait for their turn inside it. Guesses leave some of them free.</summary>
    int ReadsAtOnce => int.MaxValue;

    /// <summary>Reads bytes.</summary>
    /// <param name="offset">Where to begin, in bytes from the start of the store.</param>
    /// <param name="target">Receives the bytes. It belongs to the store until the read ends, however late that is.</param>
    /// <param name="cancellationToken">Signalled when nobody waits for the bytes any more: the deadline passed, or the pager closes.</param>
    /// <returns>
    /// The number of bytes read, or the cause of the failure. A short read is followed by zeroes at the end of the store, and is a failure before it.
    /// An exception means the same as a cause.
    /// </returns>
    ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken);
}
