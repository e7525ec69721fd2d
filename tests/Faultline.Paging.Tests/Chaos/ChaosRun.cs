using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Stores;

namespace Faultline.Paging.Tests;

/// <summary>One run by seed: a pager, an image behind a store that misbehaves, clients of every kind, and a thread that kills, detaches, saves and closes.
/// </summary>
internal sealed class ChaosRun : IDisposable
{
    private const int Accesses = 40;

    private readonly IMemoryEngine _engine;
    private readonly ChaosImage _image;
    private readonly string _folder;
    private readonly int _seed;
    private readonly Random _random;
    private readonly Pager _pager;
    private readonly BlockCache? _cache;
    private readonly CancellationTokenSource _stop = new();
    private readonly TestClock _clock = new() { Speed = 1 };
    private readonly List<(string What, Task Task)> _work = [];
    private readonly List<ChaosClient> _clients = [];
    private ChaosStore? _store;
    private ImagePageStore? _opened;
    private PagedImage? _paged;

    public ChaosRun(IMemoryEngine engine, ChaosImage image, string folder, int seed)
    {
        _engine = engine;
        _image = image;
        _folder = folder;
        _seed = seed;
        _random = new Random(seed);
        HasBudget = _random.Next(3) == 0;
        _pager = new Pager(engine, new PagerOptions
        {
            Name = $"chaos {seed}",
            HandlerThreads = _random.Next(1, 4),
            LoadBytes = 16 << 10,
            NeighbourPages = 1 << _random.Next(5),
            SequentialWindowBytes = 64 << 10,
            LoadDeadline = TimeSpan.FromMilliseconds(_random.Next(60, 160)),
            BudgetBytes = HasBudget ? 192UL << 10 : null,
            TimeProvider = _clock,
        });
        _cache = _random.Next(2) == 0 ? new BlockCache(Path.Combine(folder, $"cache {seed}"), new BlockCacheOptions { BudgetBytes = 1 << 20 }) : null;
    }

    public ChaosVerdict Verdict { get; } = new();

    public bool HasBudget { get; }

    /// <summary>Whether the pager was closed in the middle.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>The prank under way, for messages.</summary>
    public string Doing { get; private set; } = string.Empty;

    public int Troubles => _store!.Troubles;

    /// <summary>Opens the image, while the store is calm, and starts everybody.</summary>
    public async Task BeginAsync()
    {
        _store = new ChaosStore(_image.File, _seed, damages: true);
        IPageStore stack = _random.Next(2) == 0 ? new CoalescingPageStore(_store) : _store;
        stack = _cache is null ? stack : new CachedPageStore(stack, _cache, $"chaos {_seed}", 4096);
        _opened = await ImagePageStore.OpenAsync(stack, "chaos");
        _paged = _pager.OpenImage(_opened, ownership: StoreOwnership.Caller);
        _store.IsCalm = false;
        for (int i = _random.Next(2, 5); i > 0; i--)
        {
            ChaosClient client = AddClient();
            int seed = _random.Next();
            Start($"writer of {client}", () => client.Write(seed, Accesses, _stop.Token));
            Start($"reader of {client}", () => client.Read(seed + 1, Accesses, _stop.Token));
        }

        int leases = _random.Next();
        Start("leases", () => Lease(leases));
        int pranks = _random.Next();
        Start("pranks", () => MakeTrouble(pranks));
    }

    /// <summary>Waits until everybody has had an answer to everything.</summary>
    public async Task WorkAsync(TimeSpan deadline)
    {
        try
        {
            await Task.WhenAll(_work.Select(static work => work.Task)).WaitAsync(deadline);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"No answer within {deadline}: {string.Join(", ", _work.Where(static work => !work.Task.IsCompleted).Select(static work => work.What))}; last: {Doing}.", late);
        }
    }

    /// <summary>
    /// The store has recovered: whoever asks now, anew, gets everything, and right. Deadlines are fifty times as long from here on, so that none passes
    /// because the machine is busy; if one does all the same, the next who asks gets the page.
    /// </summary>
    public void AssertRecovered()
    {
        const int Attempts = 3;
        _clock.Speed = 0.02;
        _store!.CalmDown();
        string missing = string.Empty;
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            ChaosClient client = AddClient();
            missing = FindMissing(client);
            if (missing.Length == 0)
            {
                return;
            }
        }

        Verdict.NoteWrong(missing);
    }

    /// <summary>The first page of a client that cannot be had; empty if there is none. One that is wrong is wrong for good.</summary>
    private string FindMissing(ChaosClient client)
    {
        using IMemoryAccess access = client.Space.OpenAccess().OrThrow("accessor");
        for (ulong offset = 0; offset < _image.Length; offset += PageSize.Small)
        {
            AccessResult result = access.Load(client.Range.Start + offset, out ulong value);
            if (!result.IsOk)
            {
                return $"After the store's recovery the word at 0x{offset:x} could not be had ({result.Fault}){WhyNot(offset)}";
            }

            if (value != ChaosImage.WordAt(offset))
            {
                Verdict.NoteWrong($"After the store's recovery the word at 0x{offset:x} was {value:x}, and should be {ChaosImage.WordAt(offset):x}");
            }
        }

        return string.Empty;
    }

    /// <summary>What the pager says about bytes that could not be had.</summary>
    private string WhyNot(ulong offset)
    {
        try
        {
            _paged!.ReadAhead(offset, PageSize.Small);
            return "; a second attempt brought it";
        }
        catch (PageLoadException failure)
        {
            return $"; {failure.Message} {failure.InnerException?.Message} {failure.InnerException?.InnerException?.Message}";
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _store?.CalmDown();
        bool pagerFirst = _random.Next(2) == 0;
        if (pagerFirst)
        {
            _pager.Dispose();
        }

        _clients.ForEach(static client => client.Dispose());
        _pager.Dispose();
        _paged?.Dispose();
        _opened?.Dispose();
        _cache?.Dispose();
        _stop.Dispose();
    }

    private void Start(string what, Action body) =>
        _work.Add((what, Task.Factory.StartNew(body, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

    private ChaosClient AddClient()
    {
        IAddressSpace space = _engine.CreateAddressSpace().OrThrow("an address space");
        var kind = (RegionKind)_random.Next(3);
        kind = HasBudget && kind == RegionKind.SharedImage ? RegionKind.PrivateImage : kind;
        ulong length = _paged!.MappedLength;
        MapRequest request = kind switch
        {
            RegionKind.PrivateImage => MapRequest.PrivateFile(_paged.File, length),
            RegionKind.SharedImage => MapRequest.SharedFile(_paged.File, length),
            _ => MapRequest.PrivateAnonymous(length),
        };
        AddressRange range = new(space.Map(in request).OrThrow("mmap"), length);
        UserfaultfdFeatures features = UserfaultfdFeatures.MissingShmem | UserfaultfdFeatures.MinorShmem | UserfaultfdFeatures.Poison;
        bool hasEvents = _random.Next(2) == 0;
        features |= hasEvents ? UserfaultfdFeatures.EventRemove : UserfaultfdFeatures.None;
        PagerClient paged = _pager.Attach(UserfaultfdHandshake.Open(space, features).OrThrow("userfaultfd"), $"client {_clients.Count} of seed {_seed}");
        paged.AddRegion(range, _paged, 0, kind);
        ChaosClient client = new(space, range, paged, kind, Verdict) { HasEvents = hasEvents };
        _clients.Add(client);
        return client;
    }

    private void Lease(int seed)
    {
        var random = new Random(seed);
        using PagedMemory memory = _pager.Map(_paged!);
        for (int i = 0; i < Accesses && !_stop.IsCancellationRequested; i++)
        {
            ulong offset = (ulong)random.Next((int)_image.Length / 4096) * 4096;
            int length = (int)Math.Min(_image.Length - offset, (ulong)random.Next(1, 5) * 4096);
            try
            {
                using Lease lease = memory.Lease(offset, length);
                for (int at = 0; at < length; at += 4096)
                {
                    Check(offset + (ulong)at, BitConverter.ToUInt64(lease.Bytes[at..]));
                }
            }
            catch (Exception error) when (error is PageLoadException or ObjectDisposedException)
            {
                Verdict.NoteError();
            }
        }
    }

    private void Check(ulong offset, ulong value)
    {
        if (value == ChaosImage.WordAt(offset))
        {
            Verdict.NoteRight();
        }
        else
        {
            Verdict.NoteWrong($"A lease has {value:x} at 0x{offset:x}, and should have {ChaosImage.WordAt(offset):x}");
        }
    }

    private void MakeTrouble(int seed)
    {
        var random = new Random(seed);
        using ManualResetEventSlim never = new();
        for (int i = 0; i < 3; i++)
        {
            never.Wait(random.Next(5, 60), CancellationToken.None);
            ChaosClient victim = _clients[random.Next(_clients.Count)];
            var what = (Prank)random.Next((int)Prank.Count);
            if (what == Prank.Detach && HasBudget)
            {
                // Whoever is let go and lives on keeps what it has, so nothing is evicted any more: others may then find no room, as the documents say.
                continue;
            }

            Doing = $"{what} of {victim}";
            switch (what)
            {
                case Prank.Kill:
                    victim.IsKilled = true;
                    victim.Space.Dispose();
                    break;
                case Prank.Detach:
                    victim.Leave();
                    victim.Paged.Detach((DetachPolicy)random.Next(2));
                    break;
                case Prank.Track:
                    Track(victim, random);
                    break;
                case Prank.Save:
                    Save(victim);
                    break;
                default:
                    if (random.Next(4) == 0)
                    {
                        IsClosed = true;
                        _clients.ForEach(static client => client.Leave());
                        _pager.Dispose();
                    }

                    break;
            }
        }
    }

    private static void Track(ChaosClient victim, Random random)
    {
        try
        {
            using IDirtyTracker tracker = DirtyTracker.Start(victim.Paged, victim.Space, victim.Range);
            using ManualResetEventSlim never = new();
            List<AddressRange> written = [];
            for (int i = 0; i < 4; i++)
            {
                never.Wait(random.Next(10), CancellationToken.None);
                tracker.TakeWritten(written);
            }
        }
        catch (Exception error) when (IsDefinite(error))
        {
            // The client has ended, or is ending.
        }
    }

    [SuppressMessage("Usage", "VSTHRD002", Justification = "On a thread of its own that may wait.")]
    private void Save(ChaosClient victim) => SaveAsync(victim).GetAwaiter().GetResult();

    private async Task SaveAsync(ChaosClient victim)
    {
        string path = Path.Combine(_folder, $"snapshot {_seed}.flt");
        try
        {
            using var snapshot = MemorySnapshot.Take(victim.Paged, victim.Space, victim.Range);
            await ImageBuilder.CreateAsync(snapshot, path, new ImageWriterOptions());
        }
        catch (Exception error) when (IsDefinite(error))
        {
            Verdict.NoteError();
            return;
        }

        using ImagePageStore saved = await ImagePageStore.OpenAsync(new FilePageStore(path), "snapshot");
        byte[] page = new byte[4096];
        for (ulong offset = PageSize.Small; offset < _image.Length; offset += 2 * PageSize.Small)
        {
            StoreRead read = await saved.ReadAsync(offset, page, CancellationToken.None);
            if (!read.IsOk || BitConverter.ToUInt64(page) != ChaosImage.WordAt(offset))
            {
                Verdict.NoteWrong($"The snapshot of {victim.Paged.Name} ({victim.Kind}) has {BitConverter.ToUInt64(page):x} at 0x{offset:x}");
            }
        }

        File.Delete(path);
    }

    /// <summary>Whether an exception says what was wanted, and why it could not be had.</summary>
    private static bool IsDefinite(Exception error) =>
        error is MemoryEngineException or InvalidOperationException or ArgumentException or IOException or PageLoadException;

    private enum Prank
    {
        Kill = 0,
        Detach,
        Track,
        Save,
        Close,
        Count,
    }
}
