using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>One userfaultfd context served by a pager, and the regions of its address space.</summary>
/// <remarks>
/// Locks: <see cref="LockRank.PagerContext"/>. Installs and look-ups hold it for reading; reading messages of a context with events, adding
/// regions and ending hold it for writing.
/// </remarks>
public sealed class PagerClient : IDisposable
{
    private const UserfaultfdFeatures Events =
        UserfaultfdFeatures.EventFork | UserfaultfdFeatures.EventRemap | UserfaultfdFeatures.EventRemove | UserfaultfdFeatures.EventUnmap;

    private readonly PagerCore _core;
    private readonly TaskCompletionSource<ClientEnd> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The regions in order of address; replaced, never changed. Guard: <see cref="Guard"/>; read without it where a guess will
    /// do.</summary>
    private Region[] _regions = [];

    private volatile bool _hasEnded;

    internal PagerClient(PagerCore core, IUserfaultfd context, string name, PagerClient? parent)
    {
        _core = core;
        Context = context;
        Name = name;
        Parent = parent;
        HasEvents = (context.Features & Events) != 0;
    }

    /// <summary>The name, for messages.</summary>
    public string Name { get; }

    /// <summary>The client whose fork made this one, or null.</summary>
    public PagerClient? Parent { get; }

    /// <summary>Ends when the pager serves the client no more, and tells why.</summary>
    public Task<ClientEnd> Completion => _completion.Task;

    /// <summary>The addresses of the regions now, in order.</summary>
    public IReadOnlyList<AddressRange> Regions => Array.ConvertAll(RegionArray, static region => region.Range);

    internal IUserfaultfd Context { get; }

    internal RankedSharedLock Guard { get; } = new(LockRank.PagerContext);

    internal PagerCounters Counters { get; } = new();

    internal Region[] RegionArray
    {
        get
        {
            Seam.Touch(this, TouchKind.Read);
            return Volatile.Read(ref _regions);
        }
    }

    /// <summary>Whether its address space can change under us, and tells.</summary>
    internal bool HasEvents { get; }

    /// <summary>Whether nothing may be installed any more. Changes once, with <see cref="Guard"/> held for writing.</summary>
    internal bool HasEnded => _hasEnded;

    /// <summary>Whether entries of its page tables may be dropped to see the next touch. Guard: <see cref="Guard"/>; a guess without it.</summary>
    internal bool IsWatchable { get; set; }

    /// <summary>The number the poller reports.</summary>
    internal int Tag { get; set; } = -1;

    /// <summary>Serves a part of the client's address space, and registers it with the context if the client has not.</summary>
    /// <param name="range">The addresses, a multiple of the page size; mapped by the client.</param>
    /// <param name="image">The image they show.</param>
    /// <param name="imageOffset">Where in the image the first address is, in bytes; a multiple of 4 KiB.</param>
    /// <param name="kind">What memory it is.</param>
    /// <param name="pageBytes">The page size of the memory; other than 4 KiB only for <see cref="RegionKind.Copied"/>.</param>
    /// <exception cref="MemoryEngineException">The range could not be registered.</exception>
    /// <exception cref="InvalidOperationException">The client has ended; or <paramref name="kind"/> is
    /// <see cref="RegionKind.SharedImage"/> and either the pager has a budget and the store takes no writes back, or it does and the context has
    /// WP_ASYNC.</exception>
    public void AddRegion(AddressRange range, PagedImage image, ulong imageOffset, RegionKind kind, ulong pageBytes = PageSize.Small)
    {
        ArgumentNullException.ThrowIfNull(image);
        image.RequireRoomFor(range, imageOffset, kind, pageBytes);
        image.RequireWritesSeen(kind, Context.Features);
        int count = (int)(range.Length / pageBytes);
        bool isImage = kind != RegionKind.Copied;
        LoadTable table = isImage ? image.Table : new LoadTable(_core, image, imageOffset, (int)pageBytes, count, fillsCache: false);
        bool writesBack = kind == RegionKind.SharedImage && table.Eviction.TrackWrites();
        RegionPages pages = new(image, table, isImage ? (int)(imageOffset / PageSize.Small) : 0, count)
        {
            WritesBack = writesBack,
            InstallsProtected = writesBack,
            HasMarkers = writesBack,
        };
        Region region = new(range, kind, pages, firstPage: 0);
        using (RankedSharedLock.WriteScope held = Guard.EnterWrite())
        {
            if (_hasEnded)
            {
                throw new InvalidOperationException($"The region {range} cannot be added: the client '{Name}' has ended. Attach a new one.");
            }

            // Before it is registered, so that its first fault finds it.
            Seam.Touch(this, TouchKind.Write);
            Volatile.Write(ref _regions, RegionMap.Add(_regions, region));
            TakeTables();
        }

        RegisterTables();
        RegisterModes modes = isImage ? RegisterModes.Missing | RegisterModes.Minor : RegisterModes.Missing;
        modes |= writesBack ? RegisterModes.WriteProtect : RegisterModes.None;
        RegisterResult registered = Context.Register(range, modes);
        if (!registered.IsOk)
        {
            using (RankedSharedLock.WriteScope held = Guard.EnterWrite())
            {
                Seam.Touch(this, TouchKind.Write);
                Volatile.Write(ref _regions, RegionMap.Remove(_regions, range));
            }

            throw new MemoryEngineException(
                $"UFFDIO_REGISTER ({modes})",
                range,
                registered.Errno,
                "The range must be mapped by the client, of the kind it was added as, and registered with no other context.");
        }

        image.Replaying?.Serve(this);
    }

    /// <summary>Which pages of each region are installed.</summary>
    public IReadOnlyList<PageMap> GetPageMaps() =>
        Array.ConvertAll(
            RegionArray,
            static region => new PageMap(region.Range, (ulong)region.Pages.PageBytes, region.Pages.Installed.Extract(region.FirstPage, region.PageCount)));

    /// <summary>What has been done for this client so far.</summary>
    public PagerStatistics GetStatistics()
    {
        StatisticsSum sum = new();
        sum.Add(Counters);
        foreach (Region region in RegionArray)
        {
            if (!region.Pages.Table.FillsCache)
            {
                sum.Add(region.Pages.Table);
            }
        }

        return sum.ToStatistics();
    }

    /// <summary>Lets go of the client: no thread of it stays asleep, and nothing it has not got reads as zero.</summary>
    /// <param name="policy">What happens to pages it has not got yet.</param>
    public void Detach(DetachPolicy policy = DetachPolicy.Poison) => ClientDetach.Run(_core, this, policy);

    /// <summary>Detaches with <see cref="DetachPolicy.Poison"/>.</summary>
    public void Dispose() => Detach();

    /// <summary>Applies one event. <see cref="Guard"/> is held for writing.</summary>
    internal void Apply(in UserfaultfdMessage message, FaultWorker worker)
    {
        switch (message.Event)
        {
            case UserfaultfdEvent.Remove:
                ForgetContents(message.Range);
                break;
            case UserfaultfdEvent.Unmap:
                Seam.Touch(this, TouchKind.Write);
                Volatile.Write(ref _regions, RegionMap.Remove(_regions, message.Range));

                // Unmapping wakes nobody: whoever waits there finds nothing mapped.
                Context.Wake(message.Range);
                break;
            case UserfaultfdEvent.Remap:
                AddressRange from = new(message.Address, message.Range.Length);
                Seam.Touch(this, TouchKind.Write);
                Volatile.Write(ref _regions, RegionMap.Move(_regions, from, message.Range.Start));
                TakeTables();
                if (from.Length != 0)
                {
                    Context.Wake(from);
                }

                break;
            case UserfaultfdEvent.Fork when message.Forked is { } child:
                worker.Forks.Add(new ForkedClient(this, child, RegionMap.CloneForFork(_regions)));
                break;
        }
    }

    /// <summary>Takes regions that were made for this client, before it is served.</summary>
    internal void Adopt(Region[] regions)
    {
        Seam.Touch(this, TouchKind.Write);
        Volatile.Write(ref _regions, regions);
        TakeTables();
        RegisterTables();
    }

    /// <summary>Has the deadlines of loads into this client's own memory kept. No lock is held.</summary>
    internal void RegisterTables()
    {
        foreach (Region region in RegionArray)
        {
            if (!region.Pages.Table.FillsCache)
            {
                _core.RegisterTable(region.Pages.Table);
            }
        }
    }

    /// <summary>Marks the end; false if it was marked before. <see cref="Guard"/> is held for writing.</summary>
    internal bool TryMarkEnded()
    {
        if (_hasEnded)
        {
            return false;
        }

        _hasEnded = true;
        return true;
    }

    /// <summary>Has the writes to a region noticed. Not to be called with a lock held.</summary>
    internal ServedWatch Watch(AddressRange region) => ServedWatch.Attach(_core, this, region);

    /// <summary>Memory of this program, all of one region: its touches may be watched from now on, if the kernel tells of its writes.</summary>
    internal void EnableWatch(AddressRange range, LoadTable table)
    {
        const RegisterModes All = RegisterModes.Missing | RegisterModes.Minor | RegisterModes.WriteProtect;
        if (table.BudgetPages != 0 && !HasEvents && (Context.Features & UserfaultfdFeatures.WriteProtectAsync) == 0 && Context.Register(range, All).IsOk)
        {
            using RankedSharedLock.WriteScope held = Guard.EnterWrite();
            IsWatchable = true;
            table.Eviction.EnableWatch();
        }
    }

    /// <summary>The memory is about to be unmapped, and its addresses may be someone else's then.</summary>
    internal void EndWatch()
    {
        using RankedSharedLock.WriteScope held = Guard.EnterWrite();
        IsWatchable = false;
    }

    internal void Complete(ClientEnd end) => _completion.TrySetResult(end);

    private void TakeTables()
    {
        foreach (Region region in RegionArray)
        {
            if (!region.Pages.Table.FillsCache)
            {
                region.Pages.Table.Client ??= this;
            }
        }
    }

    private void ForgetContents(AddressRange range)
    {
        foreach (Region region in _regions)
        {
            if (!region.Range.Overlaps(range))
            {
                continue;
            }

            Region part = region.Cut(range);
            part.Pages.Watch?.NoteDiscarded(part.FirstPage - part.Pages.Watch.FirstPage, part.PageCount);
            part.Pages.Installed.Clear(part.FirstPage, part.PageCount);
            part.Pages.Poisoned.Clear(part.FirstPage, part.PageCount);
            if (part.Pages.WritesBack)
            {
                part.Pages.Table.Writes!.NoteDropped(part.Pages.TablePage(part.FirstPage), part.PageCount);
            }
            else
            {
                part.Pages.Removed.Set(part.FirstPage, part.PageCount);
            }
        }
    }
}
