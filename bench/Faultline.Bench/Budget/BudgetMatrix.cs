using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Bench;

/// <summary>
/// umap's shape of work: a file larger than its memory, walked in three orders, read or read and written, by 1, 2 and 8 threads, in pages of 4 and 64 KiB;
/// in order also as the pager comes: pages of 64 KiB that grow while faults follow each other.
/// Neither side finds anything of the file in memory when it begins, and both read the disk again for what they dropped.
/// </summary>
internal sealed class BudgetMatrix : IDisposable
{
    private const int Share = 8;
    private const int WordsCounted = 8;
    private const int PieceBytes = 1 << 20;

    private static readonly int[] ThreadCounts = [1, 2, 8];
    private static readonly bool[] AccessKinds = [false, true];

    /// <summary>The bytes of a page, and up to how many it grows. The last is what <see cref="PagerOptions"/> has by default.</summary>
    private static readonly (int PageBytes, int WindowBytes)[] Pages = [(4 << 10, 4 << 10), (64 << 10, 64 << 10), (64 << 10, 512 << 10)];

    private readonly IMemoryEngine _engine;
    private readonly WalkerLibrary _walker;
    private readonly string _mapper;
    private readonly string _path;
    private readonly ulong _fileBytes;
    private readonly long _accesses;

    /// <summary>Writes the file. The engine is not owned.</summary>
    public BudgetMatrix(IMemoryEngine engine, CompiledHandlers compiled, ulong fileBytes, long accesses)
    {
        _engine = engine;
        _mapper = compiled.Mapper;
        _fileBytes = fileBytes;
        _accesses = accesses;
        _walker = new WalkerLibrary(compiled.Walker);
        _path = Path.GetTempFileName();
        try
        {
            WriteFile(_path, fileBytes);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private ulong BudgetBytes => _fileBytes / Share;

    /// <summary>Runs every cell once, the two ways one after the other.</summary>
    public async Task<BudgetMatrixReport> RunAsync(List<MissingRow> missing, Action<string> progress, CancellationToken cancellation)
    {
        using var group = MemoryGroup.TryCreate(BudgetBytes, out string? reason);
        if (reason is not null)
        {
            missing.Add(new MissingRow("plain mmap under a memory control group", reason));
        }

        using MmapWalks? mmap = group is null ? null : new MmapWalks(_mapper, _path, group);
        var cells = new List<BudgetCell>();
        foreach (WalkPattern pattern in Enum.GetValues<WalkPattern>())
        {
            foreach (bool isWrite in AccessKinds)
            {
                foreach (int threads in ThreadCounts)
                {
                    WalkSpec spec = new(pattern, isWrite, threads, _accesses);
                    cells.AddRange(await CellsAsync(spec, mmap, progress, cancellation));
                }
            }
        }

        return new BudgetMatrixReport(_fileBytes, BudgetBytes, _accesses, group?.Version, cells);
    }

    public void Dispose()
    {
        _walker.Dispose();
        File.Delete(_path);
    }

    /// <summary>Pages that end with their number plus one, which each access looks at.</summary>
    private static void WriteFile(string path, ulong fileBytes)
    {
        byte[] piece = new byte[PieceBytes];
        piece.AsSpan().Fill(1);
        using FileStream file = new(path, FileMode.Create, FileAccess.Write);
        for (ulong offset = 0; offset < fileBytes; offset += PieceBytes)
        {
            for (int page = 0; page < PieceBytes; page += (int)PageSize.Small)
            {
                ulong number = (offset + (ulong)page) / PageSize.Small;
                BinaryPrimitives.WriteUInt64LittleEndian(piece.AsSpan(page + (int)PageSize.Small - sizeof(ulong)), number + 1);
            }

            file.Write(piece);
        }

        file.Flush(flushToDisk: true);
    }

    private async Task<List<BudgetCell>> CellsAsync(WalkSpec spec, MmapWalks? mmap, Action<string> progress, CancellationToken cancellation)
    {
        string access = spec.IsWrite ? "readModifyWrite" : "read";
        var cells = new List<BudgetCell>();
        progress($"budget: {spec.PatternName}, {access}, {spec.Threads} threads, mmap");
        cancellation.ThrowIfCancellationRequested();
        MmapWalk? beside = mmap is null ? null : await WalkMmapAsync(spec, mmap, cancellation);
        foreach ((int pageBytes, int windowBytes) in Pages)
        {
            if (windowBytes > pageBytes && spec.Pattern != WalkPattern.Sequential)
            {
                // Nothing grows there: it would be the cell before again.
                continue;
            }

            progress($"budget: {spec.PatternName}, {access}, {spec.Threads} threads, {pageBytes >> 10} to {windowBytes >> 10} KiB");
            cancellation.ThrowIfCancellationRequested();
            (long elapsedNs, long resident, PagerStatistics statistics, ImageStatistics image) = Walk(spec, pageBytes, windowBytes);
            cells.Add(new BudgetCell(
                spec.PatternName,
                access,
                spec.Threads,
                pageBytes,
                windowBytes,
                PerSecond(spec, elapsedNs),
                beside?.ElapsedNs is { } other ? PerSecond(spec, other) : null,
                resident,
                beside?.PeakBytes,
                beside?.Failure,
                statistics.Faults,
                image.PagesEvicted,
                image.PagesWrittenBack));
        }

        return cells;
    }

    private static double PerSecond(WalkSpec spec, long elapsedNs) => Math.Round(spec.Done * 1e9 / elapsedNs);

    private async Task<MmapWalk> WalkMmapAsync(WalkSpec spec, MmapWalks mmap, CancellationToken cancellation)
    {
        ulong before = SumOfCounters(spec);
        MmapWalk walk = await mmap.RunAsync(spec, cancellation);
        if (walk.Failure is null)
        {
            RequireEveryIncrement(spec, before, "mmap");
        }

        return walk;
    }

    private (long ElapsedNs, long Resident, PagerStatistics Statistics, ImageStatistics Image) Walk(WalkSpec spec, int pageBytes, int windowBytes)
    {
        ulong before = SumOfCounters(spec);
        PagerOptions options = new()
        {
            HandlerThreads = Math.Max(2, spec.Threads),
            LoadBytes = pageBytes,
            SequentialWindowBytes = windowBytes,
            NeighbourPages = pageBytes / (int)PageSize.Small,
            Prefetch = PrefetchOptions.Off,
            BudgetBytes = BudgetBytes,

            // The threads are not the runtime's: a page that is given up would end this process.
            LoadDeadline = MmapWalks.Deadline,
        };
        long elapsedNs;
        long resident;
        PagerStatistics statistics;
        ImageStatistics image;
        using (Pager pager = new(_engine, options))
        {
            using PagedMemory memory = pager.Map(new DirectFileStore(_path), spec.IsWrite ? PagedMapping.Shared : PagedMapping.Private);
            using ResidentWatch watch = new(memory.Image.File);
            elapsedNs = _walker.Walk(memory.Range, spec);
            long begun = Stopwatch.GetTimestamp();
            memory.Image.Flush();
            elapsedNs += (long)Stopwatch.GetElapsedTime(begun).TotalNanoseconds;
            resident = watch.Stop();
            statistics = pager.GetStatistics();
            image = memory.Image.GetStatistics();
        }

        RequireEveryIncrement(spec, before, $"pages of {pageBytes}");
        return (elapsedNs, resident, statistics, image);
    }

    private void RequireEveryIncrement(WalkSpec spec, ulong before, string how)
    {
        if (spec.IsWrite && SumOfCounters(spec) - before != (ulong)spec.Done)
        {
            throw new BenchmarkException($"{spec}, {how}: the file does not have every increment.");
        }
    }

    /// <summary>The sum of what the walks count up, modulo 2^64: each access that writes adds one. Walks that only read need none.</summary>
    private ulong SumOfCounters(WalkSpec spec)
    {
        if (!spec.IsWrite)
        {
            return 0;
        }

        using FileStream file = new(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        byte[] piece = new byte[PieceBytes];
        ulong sum = 0;
        while (file.ReadAtLeast(piece, piece.Length, throwOnEndOfStream: false) is > 0 and int read)
        {
            for (int page = 0; page < read; page += (int)PageSize.Small)
            {
                for (int word = 0; word < WordsCounted; word++)
                {
                    sum += BinaryPrimitives.ReadUInt64LittleEndian(piece.AsSpan(page + (word * sizeof(ulong))));
                }
            }
        }

        return sum;
    }
}
