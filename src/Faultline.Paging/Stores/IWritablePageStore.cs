using System;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Paging;

/// <summary>A store that takes back what clients write through shared mappings of its image.</summary>
public interface IWritablePageStore : IPageStore
{
    /// <summary>Writes bytes. A read that begins after the write has ended must return them.</summary>
    /// <param name="offset">Where to begin, in bytes from the start of the store.</param>
    /// <param name="source">The bytes; they never reach beyond <see cref="IPageStore.Length"/>. Valid until the write ends.</param>
    /// <param name="cancellationToken">
    /// Signalled when the deadline has passed. The bytes are not written anew until the write has ended, so it should end soon.
    /// </param>
    /// <returns>Success, or the cause of the failure. An exception means the same as a cause.</returns>
    ValueTask<StoreWrite> WriteAsync(ulong offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken);
}
