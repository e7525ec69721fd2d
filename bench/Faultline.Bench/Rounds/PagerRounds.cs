using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Bench;

/// <summary>Rounds of the whole pager: each opens the store file as a new image, and every page of it is touched in order.</summary>
internal sealed class PagerRounds : IDisposable
{
    private readonly IMemoryEngine _engine;
    private readonly IToucher _toucher;
    private readonly string _path = Path.GetTempFileName();
    private readonly int _pages;
    private readonly int _cpu;

    /// <summary>Writes the store file, which stays in the kernel's page cache. Neither the engine nor the toucher is owned.</summary>
    public PagerRounds(IMemoryEngine engine, IToucher toucher, int pages, int cpu)
    {
        _engine = engine;
        _toucher = toucher;
        _pages = pages;
        _cpu = cpu;
        byte[] page = new byte[PageSize.Small];

        // Long writes, as of a file that was copied: the kernel then caches it in large folios.
        using FileStream file = new(_path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 1 << 20);
        for (int index = 0; index < pages; index++)
        {
            page.AsSpan().Fill((byte)(1 + (index % 255)));
            file.Write(page);
        }
    }

    /// <summary>Rounds on a private mapping of the image.</summary>
    public Row Image(PagerOptions options) => new(_pages, cancellation => RunAsync(options, TouchImage, cancellation));

    /// <summary>Rounds on anonymous memory that receives copies.</summary>
    public Row Anonymous(PagerOptions options) => new(_pages, cancellation => RunAsync(options, TouchAnonymous, cancellation));

    /// <summary>The same calls without faults and without a pager.</summary>
    public FloorRounds Floor(PagerOptions options) => new(_engine, _path, _pages, options.SequentialWindowBytes);

    /// <summary>Removes the store file.</summary>
    public void Dispose() => File.Delete(_path);

    private Task<RoundResult> RunAsync(PagerOptions options, Func<Pager, RoundResult> touch, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        using var pager = new Pager(_engine, options);
        return Task.FromResult(touch(pager));
    }

    private RoundResult TouchImage(Pager pager)
    {
        using PagedMemory memory = pager.Map(new FilePageStore(_path));
        return Touch(pager, memory.Range);
    }

    private RoundResult TouchAnonymous(Pager pager)
    {
        using PagedImage image = pager.OpenImage(new FilePageStore(_path));
        var request = MapRequest.PrivateAnonymous(image.MappedLength);
        var area = new AddressRange(_engine.Home.Map(request).OrThrow("mmap"), image.MappedLength);
        try
        {
            IUserfaultfd context = UserfaultfdHandshake.Open(_engine.Home, UserfaultfdFeatures.None).OrThrow("userfaultfd");
            using PagerClient client = pager.Attach(context);
            client.AddRegion(area, image, 0, RegionKind.Copied);
            return Touch(pager, area);
        }
        finally
        {
            _engine.Home.Unmap(area).OrThrow("munmap", area);
        }
    }

    private RoundResult Touch(Pager pager, AddressRange area)
    {
        // What a new pager needs once, buffers above all, is made in the first half; allocation is counted in the second. The time is that of both.
        int half = _pages / 2;
        ITouching first = _toucher.Prepare(area.Start, half, _cpu);
        ITouching second = _toucher.Prepare(area.Start + ((ulong)half * PageSize.Small), _pages - half, _cpu);
        first.Start();
        long elapsedNs = first.Finish();
        long allocatedBefore = GC.GetTotalAllocatedBytes(precise: true);
        second.Start();
        elapsedNs += second.Finish();
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - allocatedBefore;
        return new RoundResult(elapsedNs, pager.GetStatistics().Faults, allocated);
    }
}
