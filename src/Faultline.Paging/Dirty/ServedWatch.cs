using System;
using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>
/// Watches memory that a pager serves, through the pager's own context: a mapping has one userfaultfd. The handlers bring the faults, and what is installed
/// while it lasts is installed protected, in one step.
/// </summary>
internal sealed class ServedWatch : WatchHost
{
    private readonly PagerCore _core;
    private readonly RegionPages _pages;
    private readonly WriteWatch? _watch;

    private ServedWatch(PagerCore core, PagerClient client, Region region)
    {
        _core = core;
        _pages = region.Pages;
        Client = client;
        Region = region;
        IsAsync = (client.Context.Features & UserfaultfdFeatures.WriteProtectAsync) != 0;
        _watch = IsAsync ? null : new WriteWatch(client.Context, region.Range, (ulong)_pages.PageBytes, _pages.Leases, region.FirstPage);
    }

    public override WriteWatch? Watch => _watch;

    public override Errno Failure => Client.HasEnded ? Errno.ECANCELED : Errno.None;

    public PagerCore Core => _core;

    public PagerClient Client { get; }

    /// <summary>The region as it was when this began.</summary>
    public Region Region { get; }

    /// <summary>Whether the kernel lifts the protection by itself, since the context was opened for that.</summary>
    public bool IsAsync { get; }

    /// <summary>Begins to install protected, or takes part in the watching there is. Nothing is protected yet.</summary>
    /// <exception cref="MemoryEngineException">The memory cannot be write-protected.</exception>
    public static ServedWatch Attach(PagerCore core, PagerClient client, AddressRange range)
    {
        using Patience patience = new();
        while (true)
        {
            Region region = Find(client, range);
            if (region.Pages.Watcher is { } running)
            {
                if (running.TryShare())
                {
                    return running;
                }

                // It is ending.
                if (!patience.Wait())
                {
                    throw new MemoryEngineException("UFFDIO_WRITEPROTECT", range, Errno.EAGAIN, "The protection of a former tracker could not be taken away.");
                }

                continue;
            }

            Register(client, region);
            ServedWatch watcher = new(core, client, region);
            if (watcher.TryEnter())
            {
                return watcher;
            }
        }
    }

    protected override void Close()
    {
        using (RankedSharedLock.WriteScope held = Client.Guard.EnterWrite())
        {
            _pages.Watch = null;
            _pages.InstallsProtected = false;
        }

        using Patience patience = new();
        Errno errno;
        do
        {
            errno = TakeProtectionAway(Client, _pages);
        }
        while (errno == Errno.EAGAIN && patience.Wait());
        using (RankedSharedLock.WriteScope held = Client.Guard.EnterWrite())
        {
            _pages.Watcher = null;
            _pages.HasMarkers = errno != Errno.None;
        }
    }

    /// <summary>Un-protects the pages wherever they are mapped now, and so takes their markers away.</summary>
    public static Errno TakeProtectionAway(PagerClient client, RegionPages pages)
    {
        foreach (Region region in client.RegionArray)
        {
            if (!ReferenceEquals(region.Pages, pages))
            {
                continue;
            }

            SystemResult result = client.Context.WriteProtect(region.Range, WriteProtectModes.None);
            if (!result.IsOk)
            {
                client.Context.Wake(region.Range);
                return result.Errno;
            }
        }

        return Errno.None;
    }

    private static Region Find(PagerClient client, AddressRange range)
    {
        using RankedSharedLock.ReadScope held = client.Guard.EnterRead();
        Region? region = RegionMap.Find(client.RegionArray, range.Start);
        if (region is null || region.Range != range)
        {
            throw new ArgumentException($"{range} is not a region of '{client.Name}'. Writes are tracked in whole regions, as {nameof(PagerClient.Regions)} has them.", nameof(range));
        }

        if (region.Pages.WritesBack)
        {
            throw new InvalidOperationException(
                $"What is written to {range} of '{client.Name}' goes back to the image's store, and the pager lifts its protection by chunks; single pages cannot be tracked" +
                " besides. Call Flush, and see in the store's WriteAsync what was written; or map the image private, or open it from a store that takes no writes.");
        }

        return !client.HasEnded ? region : throw new InvalidOperationException($"Writes to {range} cannot be tracked: the client '{client.Name}' has ended.");
    }

    private static void Register(PagerClient client, Region region)
    {
        RegisterModes modes = RegisterModes.Missing | RegisterModes.WriteProtect;
        if (region.Kind != RegionKind.Copied)
        {
            modes |= RegisterModes.Minor;
        }

        RegisterResult registered = client.Context.Register(region.Range, modes);
        if (!registered.IsOk)
        {
            throw new MemoryEngineException($"UFFDIO_REGISTER ({modes})", region.Range, registered.Errno, "The memory cannot be write-protected.");
        }
    }

    private bool TryEnter()
    {
        using RankedSharedLock.WriteScope held = Client.Guard.EnterWrite();
        if (_pages.Watcher is not null || Client.HasEnded)
        {
            return false;
        }

        _pages.Watcher = this;
        _pages.Watch = _watch;
        _pages.InstallsProtected = true;
        _pages.HasMarkers = true;
        return true;
    }
}
