using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>Resolves the page faults of many clients from page stores, on either engine.</summary>
/// <remarks>
/// The life of a fault, with the files under <c>FaultPath</c> that are its stops: a thread misses a page and sleeps; the engine queues a
/// message; FaultBatch reads it, FaultPlan decides
/// what to bring, PageLoad reads the store and PageFill writes to the image's page cache, PageInstall makes the page appear, FaultWake
/// wakes whoever is still owed it. FaultLoop has the order.
/// </remarks>
public sealed class Pager : IDisposable, IAsyncDisposable
{
    private readonly PagerCore _core;
    private readonly RankedLock _lock = new(LockRank.PagerRegistry);

    /// <summary>The images open. Guard: the lock.</summary>
    private readonly List<PagedImage> _images = [];

    /// <summary>The memories mapped. Guard: the lock.</summary>
    private readonly List<PagedMemory> _memories = [];

    private int _isDisposed;

    /// <summary>Starts a pager.</summary>
    /// <param name="engine">The engine; it must outlive the pager.</param>
    /// <param name="options">How it works; null for the defaults.</param>
    public Pager(IMemoryEngine engine, PagerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(engine);
        Engine = engine;
        Options = options ?? new PagerOptions();
        Options.Validate();
        _core = new PagerCore(engine, Options);
    }

    /// <summary>The name in metrics and messages: that of the options, with a number behind it if another pager of this process has it.</summary>
    public string Name => _core.Name;

    /// <summary>The engine.</summary>
    public IMemoryEngine Engine { get; }

    /// <summary>How it works.</summary>
    public PagerOptions Options { get; }

    /// <summary>The clients attached now, forked ones included.</summary>
    public IReadOnlyList<PagerClient> Clients
    {
        get
        {
            List<PagerClient> clients = [];
            foreach (PagerClient? client in _core.Clients)
            {
                if (client is not null)
                {
                    clients.Add(client);
                }
            }

            return clients;
        }
    }

    /// <summary>Makes an image: a memory file of the store's length that is filled as pages are wanted.</summary>
    /// <param name="store">Where the bytes come from.</param>
    /// <param name="name">A name for messages.</param>
    /// <param name="ownership">Who disposes the store.</param>
    /// <exception cref="ArgumentException">The store is empty, or larger than 8 TiB.</exception>
    /// <exception cref="MemoryEngineException">The memory file could not be made.</exception>
    public PagedImage OpenImage(IPageStore store, string name = "image", StoreOwnership ownership = StoreOwnership.Image)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (store.Length == 0 || PageCount.FromBytes(store.Length).Value > int.MaxValue)
        {
            throw new ArgumentException($"The store of '{name}' has {store.Length} bytes; an image has at least one, and at most 8 TiB.", nameof(store));
        }

        MemoryFileOptions options = new() { Name = name, Size = PageCount.FromBytes(store.Length).Bytes };
        IMemoryFile file = Engine.CreateMemoryFile(in options).OrThrow($"memfd_create for '{name}'");
        PagedImage image = new(this, _core, store, name, ownership, file);
        _core.RegisterTable(image.Table);
        using (RankedLock.Scope held = _lock.Enter())
        {
            _images.Add(image);
        }

        _core.Log.ImageOpened(image);
        return image;
    }

    /// <summary>Maps an image into <see cref="IMemoryEngine.Home"/> and serves its faults.</summary>
    /// <param name="image">The image.</param>
    /// <param name="sharing">Who sees what is written.</param>
    /// <exception cref="InvalidOperationException">The pager has a budget, the mapping is to be shared, and the store takes no writes back.</exception>
    /// <exception cref="MemoryEngineException">A userfaultfd or the mapping could not be had; the message tells what to do.</exception>
    public PagedMemory Map(PagedImage image, PagedMapping sharing = PagedMapping.Private) => Map(image, sharing, ownedImage: null);

    /// <summary>Opens an image and maps it; the image ends with the memory.</summary>
    /// <param name="store">Where the bytes come from; disposed with the image.</param>
    /// <param name="sharing">Who sees what is written.</param>
    /// <exception cref="InvalidOperationException">The pager has a budget, the mapping is to be shared, and the store takes no writes back.</exception>
    /// <exception cref="MemoryEngineException">A userfaultfd or the mapping could not be had; the message tells what to do.</exception>
    public PagedMemory Map(IPageStore store, PagedMapping sharing = PagedMapping.Private)
    {
        PagedImage image = OpenImage(store);
        try
        {
            return Map(image, sharing, image);
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    /// <summary>Serves the faults of a context, of any address space. Its regions are added next.</summary>
    /// <param name="context">A non-blocking context after its handshake. The pager owns it from here on, also if this throws.</param>
    /// <param name="name">A name for messages.</param>
    /// <exception cref="MemoryEngineException">The context cannot be waited on.</exception>
    public PagerClient Attach(IUserfaultfd context, string name = "client")
    {
        ArgumentNullException.ThrowIfNull(context);
        try
        {
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            PagerClient client = new(_core, context, name, parent: null);
            _core.Register(client);
            _core.Log.ClientAttached(client);
            return client;
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>Whether a handler thread gives a sign of life in time. None does if the pager is closed, or a store holds up all of them.</summary>
    /// <param name="within">How long to wait for it.</param>
    public Task<bool> IsAliveAsync(TimeSpan within) =>
        IsDisposed ? Task.FromResult(false) : _core.LifeSigns.AskAsync(_core.Poller, within, Options.TimeProvider);

    /// <summary>What has been done so far, for all clients and images.</summary>
    public PagerStatistics GetStatistics() => _core.Sum();

    /// <summary>
    /// Ends the pager. Loads in flight fail; clients are detached: what they have not got becomes an error, nobody stays asleep; leases
    /// that are out stay
    /// valid until they are disposed.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        ObjectDisposedException cause = new(nameof(Pager));
        foreach (LoadTable table in _core.Tables)
        {
            _core.CloseTable(table, cause);
        }

        foreach (PagedMemory memory in Snapshot(_memories))
        {
            memory.Dispose();
        }

        foreach (PagerClient client in Clients)
        {
            client.Detach(DetachPolicy.Poison);
        }

        _core.Dispose();
        foreach (PagedImage image in Snapshot(_images))
        {
            image.Dispose();
        }
    }

    /// <summary>Ends the pager on another thread; see <see cref="Dispose"/>.</summary>
    public ValueTask DisposeAsync() => new(Task.Run(Dispose));

    internal bool IsDisposed => Volatile.Read(ref _isDisposed) != 0;

    /// <summary>Stops everything that uses an image. Its file and store may be closed afterwards.</summary>
    internal void Close(PagedImage image)
    {
        foreach (LoadTable table in _core.Tables)
        {
            if (ReferenceEquals(table.Image, image))
            {
                _core.CloseTable(table, new ObjectDisposedException(image.Name));
            }
        }

        foreach (PagedMemory memory in Snapshot(_memories))
        {
            if (ReferenceEquals(memory.Image, image))
            {
                memory.Dispose();
            }
        }

        foreach (PagerClient client in Clients)
        {
            if (Array.Exists(client.RegionArray, region => ReferenceEquals(region.Pages.Image, image)))
            {
                client.Detach(DetachPolicy.Poison);
            }
        }

        _core.UnregisterTable(image.Table);
        _core.Log.ImageClosed(image);
        using RankedLock.Scope held = _lock.Enter();
        _images.Remove(image);
    }

    /// <summary>A memory is unmapped.</summary>
    internal void Forget(PagedMemory memory)
    {
        using RankedLock.Scope held = _lock.Enter();
        _memories.Remove(memory);
    }

    private PagedMemory Map(PagedImage image, PagedMapping sharing, PagedImage? ownedImage)
    {
        ArgumentNullException.ThrowIfNull(image);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        RegionKind kind = sharing == PagedMapping.Shared ? RegionKind.SharedImage : RegionKind.PrivateImage;
        AddressRange wanted = new(default, image.MappedLength);
        image.RequireRoomFor(wanted, 0, kind, PageSize.Small);
        PagerClient client = Attach(HomeContext.Open(Engine.Home, Options.Tracking), image.Name);
        MapRequest request = sharing == PagedMapping.Shared
            ? MapRequest.SharedFile(image.File, wanted.Length)
            : MapRequest.PrivateFile(image.File, wanted.Length);
        SystemResult<VirtualAddress> mapped = Engine.Home.Map(in request);
        if (!mapped.IsOk)
        {
            _core.EndClient(client, ClientEnd.Detached);
            throw new MemoryEngineException("mmap", wanted, mapped.Errno, $"The image '{image.Name}' could not be mapped.");
        }

        AddressRange range = new(mapped.Value, wanted.Length);
        try
        {
            client.AddRegion(range, image, 0, kind);
        }
        catch
        {
            Engine.Home.Unmap(range);
            _core.EndClient(client, ClientEnd.Detached);
            throw;
        }

        // A page that the kernel swapped out would be a fault again, and under a lease a fault in managed code.
        bool isLocked = Engine.Home.LockOnFault(range).IsOk;
        client.EnableWatch(range, image.Table);
        PagedMemory memory = new(this, _core, image, ownedImage, client, range, isLocked);
        using RankedLock.Scope held = _lock.Enter();
        _memories.Add(memory);
        return memory;
    }

    private T[] Snapshot<T>(List<T> list)
    {
        using RankedLock.Scope held = _lock.Enter();
        return [.. list];
    }
}
