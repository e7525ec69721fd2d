using System;
using System.Collections.Generic;
using System.Threading.Tasks;

namespace Faultline.Paging;

/// <summary>One userfaultfd context served by a pager, and the regions of its address space.</summary>
public sealed class PagerClient : IDisposable
{
    /// <summary>The name, for messages.</summary>
    public string Name => throw new NotSupportedException();

    /// <summary>The client whose fork made this one, or null.</summary>
    public PagerClient? Parent => throw new NotSupportedException();

    /// <summary>Ends when the pager serves the client no more, and tells why.</summary>
    public Task<ClientEnd> Completion => throw new NotSupportedException();

    /// <summary>The addresses of the regions now, in order.</summary>
    public IReadOnlyList<AddressRange> Regions => throw new NotSupportedException();

    /// <summary>Serves a part of the client's address space, and registers it with the context if the client has not.</summary>
    /// <param name="range">The addresses, a multiple of the page size; mapped by the client.</param>
    /// <param name="image">The image they show.</param>
    /// <param name="imageOffset">Where in the image the first address is, in bytes; a multiple of 4 KiB.</param>
    /// <param name="kind">What memory it is.</param>
    /// <param name="pageBytes">The page size of the memory; other than 4 KiB only for <see cref="RegionKind.Copied"/>.</param>
    /// <exception cref="MemoryEngineException">The range could not be registered.</exception>
    /// <exception cref="InvalidOperationException">The client has ended, or the pager has a budget and <paramref name="kind"/> is <see cref="RegionKind.SharedImage"/>.</exception>
    public void AddRegion(AddressRange range, PagedImage image, ulong imageOffset, RegionKind kind, ulong pageBytes = PageSize.Small) => throw new NotSupportedException();

    /// <summary>Which pages of each region are installed.</summary>
    public IReadOnlyList<PageMap> GetPageMaps() => throw new NotSupportedException();

    /// <summary>What has been done for this client so far.</summary>
    public PagerStatistics GetStatistics() => throw new NotSupportedException();

    /// <summary>Lets go of the client: no thread of it stays asleep, and nothing it has not got reads as zero.</summary>
    /// <param name="policy">What happens to pages it has not got yet.</param>
    public void Detach(DetachPolicy policy = DetachPolicy.Poison) => throw new NotSupportedException();

    /// <summary>Detaches with <see cref="DetachPolicy.Poison"/>.</summary>
    public void Dispose() => throw new NotSupportedException();
}
