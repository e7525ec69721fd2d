using System;

namespace Faultline.Paging;

/// <summary>An image: a memory file whose page cache all its clones share, filled from a store as pages are wanted.</summary>
public sealed class PagedImage : IDisposable
{
    /// <summary>The name, for messages.</summary>
    public string Name => throw new NotSupportedException();

    /// <summary>The length of the store in bytes.</summary>
    public ulong Length => throw new NotSupportedException();

    /// <summary>The length that is mapped: <see cref="Length"/> rounded up to a page.</summary>
    public ulong MappedLength => throw new NotSupportedException();

    /// <summary>The memory file. Clients map it, shared or private; holes in it have not been brought, or are zero.</summary>
    public IMemoryFile File => throw new NotSupportedException();

    /// <summary>Brings a part of the image into the cache, on the calling thread.</summary>
    /// <param name="offset">Where the part begins, in bytes.</param>
    /// <param name="length">Its length in bytes; what exceeds the image is ignored.</param>
    /// <exception cref="PageLoadException">A page could not be brought.</exception>
    public void ReadAhead(ulong offset, ulong length) => throw new NotSupportedException();

    /// <summary>What the image holds and has cost so far.</summary>
    public ImageStatistics GetStatistics() => throw new NotSupportedException();

    /// <summary>Ends the image. Clients that map it are detached first: pages they have not got become errors.</summary>
    public void Dispose() => throw new NotSupportedException();
}
