using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using Faultline.Cli.Clones;
using Faultline.Cli.Images;
using Faultline.Cli.Json;
using Faultline.Cli.Processes;
using Faultline.Cli.Restore;
using Faultline.Cli.Telemetry;
using Faultline.Mm;
using Faultline.Paging;

namespace Faultline.Cli.Spaces;

/// <summary>One managed engine for a run, with the pager and the image that its clones share.</summary>
internal sealed class ManagedStage : IDisposable
{
    private readonly RestorePlan _plan;
    private readonly Pager? _pager;
    private readonly IPageStore? _store;
    private readonly PagedImage? _image;
    private readonly Pager? _rehearsalPager;
    private readonly PagedImage? _rehearsalImage;
    private readonly WorkingSetWork? _workingSet;
    private readonly RunTelemetry? _telemetry;
    private readonly List<PagerClient> _clients = [];

    /// <summary>The first clone and its address space. Guard: the list of clients.</summary>
    private (PagerClient Client, IAddressSpace Space)? _first;

    public ManagedStage(RestorePlan plan, RestoreMode mode)
    {
        _plan = plan;
        Engine = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = (ulong)MemoryFor(plan.Options, plan.Image, mode) });
        if (mode.HasPager())
        {
            // The rehearsal has a pager of its own, so that its faults are in none of the numbers.
            var options = new PagerOptions { Name = RunTelemetry.PagerName, HandlerThreads = plan.Options.Handlers };
            _telemetry = new RunTelemetry(plan.PagerJob(mode), ToolStores.NameOf(plan.Image.Path));
            _rehearsalPager = new Pager(Engine, options with { Name = RunTelemetry.RehearsalName });
            _rehearsalImage = _rehearsalPager.OpenImage(new MemoryPageStore(Rehearsal.Image()), "rehearsal");
            _pager = new Pager(Engine, options);
            _store = ToolStores.Open(plan.Image.Path, plan.Image.Cache);
            _image = _pager.OpenImage(_store, ToolStores.NameOf(plan.Image.Path));
            _image.TraceContext = _telemetry.Trace;
            _workingSet = new WorkingSetWork(_image, plan.PagerJob(mode));
        }
    }

    public ManagedEngine Engine { get; }

    /// <summary>What the engine takes now: pages and page tables.</summary>
    public long BytesInUse => Engine.FramesInUse * (long)PageSize.Small;

    /// <summary>The most memory a run needs, in bytes; untouched memory costs nothing.</summary>
    public static long MemoryFor(RestoreOptions options, ImageFile image, RestoreMode mode)
    {
        const long Slack = 64L << 20;
        const long EntriesPerTable = 512;
        const double Uneven = 1.25;
        double own = mode == RestoreMode.Continue ? Math.Min(1, options.WritePercent / 100 * Uneven) : 1;
        long cached = mode == RestoreMode.Continue ? image.LengthBytes : 0;
        long tables = image.LengthBytes / EntriesPerTable;
        return cached + (options.Clones * ((long)(image.LengthBytes * own) + tables + (Slack / 64))) + Slack;
    }

    /// <summary>Maps the image of the run into an address space, and has its faults served.</summary>
    public CloneMemory Open(IAddressSpace space, CloneJob job)
    {
        var memory = new AttachedCloneMemory(space, _pager!, _image!, CloneName.Of(job.Index), KindOf(job.Mode));
        lock (_clients)
        {
            _clients.Add(memory.Client);
            _first = job.Index == 0 ? (memory.Client, space) : _first;
        }

        return memory;
    }

    /// <summary>The same with the image of the rehearsal.</summary>
    public CloneMemory OpenRehearsal(IAddressSpace space, CloneJob job) =>
        new AttachedCloneMemory(space, _rehearsalPager!, _rehearsalImage!, CloneName.Of(job.Index), KindOf(job.Mode));

    /// <summary>What the pager has done so far, or null where there is none.</summary>
    public PagerReport? Report()
    {
        lock (_clients)
        {
            return _pager is null ? null : PagerReports.Of(_pager, _clients, _plan.Options.Clones) with { Metrics = _telemetry?.Read() };
        }
    }

    /// <summary>PSS of the image in the address space the pager itself lives in.</summary>
    public long HomePssBytes()
    {
        long pss = 0;
        IReadOnlyList<VmaInfo> mappings = Engine.Home.Inspector.GetMappings(new AddressRange(default, ulong.MaxValue)).OrThrow("reading smaps");
        foreach (VmaInfo mapping in mappings)
        {
            pss += (long)mapping.ProportionalResident;
        }

        return pss;
    }

    /// <summary>Saves the memory of the first clone.</summary>
    public async Task<SnapshotDocument> SaveAsync(string path)
    {
        (PagerClient Client, IAddressSpace Space)? first;
        lock (_clients)
        {
            first = _first;
        }

        return first is { } clone
            ? await SnapshotWork.SaveAsync(clone.Client, clone.Space, _store!, _plan.Image.Path, path).ConfigureAwait(false)
            : SnapshotWork.Missing(path);
    }

    /// <summary>The report at the end of the run, when the clones are gone.</summary>
    /// <param name="homePssBytes">What <see cref="HomePssBytes"/> was while they were there.</param>
    public PagerReport? LastReport(long homePssBytes) => Report() is { } report
        ? report with
        {
            IsLast = true,
            WorkingSet = _workingSet?.Finish(),
            NotSent = _telemetry?.Finish(),
            Latencies = PagerReports.Bars(_pager!.GetStatistics().Latency),
            ImagePssBytes = homePssBytes,
            Mismatch = CachedImageCheck.FindChange(_image!.File, RunFolder.ChecksumsOf(_plan.Folder.Path)),
        }
        : null;

    public void Dispose()
    {
        _workingSet?.Dispose();
        _telemetry?.Dispose();
        _pager?.Dispose();
        _rehearsalPager?.Dispose();
        Engine.Dispose();
    }

    private static RegionKind KindOf(RestoreMode mode) => mode == RestoreMode.Copy ? RegionKind.Copied : RegionKind.PrivateImage;
}
