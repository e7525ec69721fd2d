using System;
using System.Collections.Generic;
using System.Threading.Tasks;

namespace Faultline.Paging;

/// <summary>Resolves the page faults of many clients from page stores, on either engine.</summary>
public sealed class Pager : IDisposable, IAsyncDisposable
{
    /// <summary>Starts a pager.</summary>
    /// <param name="engine">The engine; it must outlive the pager.</param>
    /// <param name="options">How it works; null for the defaults.</param>
    public Pager(IMemoryEngine engine, PagerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(engine);
        Engine = engine;
        Options = options ?? new PagerOptions();
        Options.Validate();
    }

    /// <summary>The engine.</summary>
    public IMemoryEngine Engine { get; }

    /// <summary>How it works.</summary>
    public PagerOptions Options { get; }

    /// <summary>The clients attached now, forked ones included.</summary>
    public IReadOnlyList<PagerClient> Clients => throw new NotSupportedException();

    /// <summary>Makes an image: a memory file of the store's length that is filled as pages are wanted.</summary>
    /// <param name="store">Where the bytes come from.</param>
    /// <param name="name">A name for messages.</param>
    /// <param name="ownership">Who disposes the store.</param>
    public PagedImage OpenImage(IPageStore store, string name = "image", StoreOwnership ownership = StoreOwnership.Image) => throw new NotSupportedException();

    /// <summary>Maps an image into <see cref="IMemoryEngine.Home"/> and serves its faults.</summary>
    /// <param name="image">The image.</param>
    /// <param name="sharing">Who sees what is written.</param>
    public PagedMemory Map(PagedImage image, PagedMapping sharing = PagedMapping.Private) => throw new NotSupportedException();

    /// <summary>Opens an image and maps it; the image ends with the memory.</summary>
    /// <param name="store">Where the bytes come from; disposed with the image.</param>
    /// <param name="sharing">Who sees what is written.</param>
    public PagedMemory Map(IPageStore store, PagedMapping sharing = PagedMapping.Private) => throw new NotSupportedException();

    /// <summary>Serves the faults of a context, of any address space. Its regions are added next.</summary>
    /// <param name="context">A non-blocking context after its handshake. The pager owns it from here on, also if this throws.</param>
    /// <param name="name">A name for messages.</param>
    public PagerClient Attach(IUserfaultfd context, string name = "client") => throw new NotSupportedException();

    /// <summary>What has been done so far, for all clients and images.</summary>
    public PagerStatistics GetStatistics() => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotSupportedException();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
