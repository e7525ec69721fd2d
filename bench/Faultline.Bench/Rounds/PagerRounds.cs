using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Bench;

/// <summary>Rounds of the whole pager: each opens the store file as a new image, maps it, and touches every page in order.</summary>
internal sealed class PagerRounds : IDisposable
{
    private readonly IMemoryEngine _engine;
    private readonly IToucher _toucher;
    private readonly string _path = Path.GetTempFileName();
    private readonly int _pages;

    /// <summary>Writes the store file, which stays in the kernel's page cache. Neither the engine nor the toucher is owned.</summary>
    public PagerRounds(IMemoryEngine engine, IToucher toucher, int pages)
    {
        _engine = engine;
        _toucher = toucher;
        _pages = pages;
        byte[] page = new byte[PageSize.Small];
        using FileStream file = File.Create(_path);
        for (int index = 0; index < pages; index++)
        {
            page.AsSpan().Fill((byte)(1 + (index % 255)));
            file.Write(page);
        }
    }

    /// <summary>A row of rounds of one pager.</summary>
    public Row Row(PagerOptions options, int cpu) => new(_pages, cancellation => RunAsync(options, cpu, cancellation));

    /// <summary>Removes the store file.</summary>
    public void Dispose() => File.Delete(_path);

    private Task<RoundResult> RunAsync(PagerOptions options, int cpu, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        using var pager = new Pager(_engine, options);
        using PagedMemory memory = pager.Map(new FilePageStore(_path));
        long allocatedBefore = GC.GetTotalAllocatedBytes(precise: true);
        long elapsedNs = _toucher.Start(memory.Range.Start, _pages, cpu).Finish();
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - allocatedBefore;
        PagerStatistics statistics = pager.GetStatistics();
        return Task.FromResult(new RoundResult(elapsedNs, statistics.Faults, allocated));
    }
}
