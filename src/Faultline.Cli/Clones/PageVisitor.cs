using System;
using System.Collections;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Threading;
using Faultline.Cli.Images;
using Faultline.Cli.Patterns;
using Faultline.Cli.Processes;

namespace Faultline.Cli.Clones;

/// <summary>
/// Touches pages one by one, each with a read of its 4 KiB by a native copy; compares what it read with the checksums; writes to some. Registered memory is
/// never read by managed code: the copy is.
/// </summary>
internal sealed class PageVisitor(IMemoryAccess access, CloneMemory memory, ulong[]? checksums, double writePercent, ulong seed)
{
    /// <summary>How many pages go by between two looks at the clock.</summary>
    private const int PagesPerLook = 128;

    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(100);

    private readonly byte[] _page = GC.AllocateUninitializedArray<byte>(PageChecksum.PageBytes, pinned: true);
    private readonly byte[] _stamp = GC.AllocateUninitializedArray<byte>(PageChecksum.PageBytes, pinned: true);
    private readonly ulong _writeBelow = (ulong)(writePercent / 100 * uint.MaxValue);

    public BitArray Touched { get; } = new((int)memory.Range.Pages.Value);

    public BitArray Written { get; } = new((int)memory.Range.Pages.Value);

    public long TouchedCount { get; private set; }

    public long WrittenCount { get; private set; }

    /// <summary>Since the go-signal.</summary>
    public double FirstByteMs { get; private set; }

    public double DoneMs { get; private set; }

    /// <summary>Null, or one sentence about the first page that was wrong.</summary>
    public string? Mismatch { get; private set; }

    /// <summary>Visits the pages in order.</summary>
    /// <param name="pages">The pages.</param>
    /// <param name="start">The go-signal, as a time stamp of <see cref="Stopwatch"/>.</param>
    /// <param name="progress">Who is told how far it is, or null.</param>
    /// <param name="cancellation">Ends the visit early.</param>
    /// <exception cref="OperationCanceledException">It was ended early.</exception>
    public void Visit(ReadOnlySpan<int> pages, long start, Action<CloneProgress>? progress, CancellationToken cancellation = default)
    {
        long nextProgress = start + (long)(ProgressInterval.TotalSeconds * Stopwatch.Frequency);
        for (int i = 0; i < pages.Length; i++)
        {
            VisitPage(pages[i]);
            TouchedCount++;
            if (i == 0)
            {
                FirstByteMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }

            if (i % PagesPerLook == 0 && progress is not null && Stopwatch.GetTimestamp() >= nextProgress)
            {
                nextProgress = Stopwatch.GetTimestamp() + (long)(ProgressInterval.TotalSeconds * Stopwatch.Frequency);
                progress(new CloneProgress(TouchedCount, pages.Length));
                cancellation.ThrowIfCancellationRequested();
            }
        }

        DoneMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <summary>Reads back every page that was written: it must hold what this clone wrote, and nobody else's.</summary>
    public void VerifyWritten()
    {
        for (int page = 0; page < Written.Length; page++)
        {
            if (Written[page])
            {
                Read(page);
                FillStamp(page);
                if (!_page.AsSpan().SequenceEqual(_stamp))
                {
                    Mismatch ??= string.Create(CultureInfo.InvariantCulture, $"page {page} no longer holds what this clone wrote to it.");
                }
            }
        }
    }

    private void VisitPage(int page)
    {
        Read(page);
        if (checksums is not null && PageChecksum.Of(_page) != Expected(page))
        {
            Mismatch ??= string.Create(CultureInfo.InvariantCulture, $"page {page} differs from the image.");
        }

        Touched[page] = true;
        if (!Written[page] && (uint)SeededRandom.Mix(seed ^ (ulong)page) < _writeBelow)
        {
            FillStamp(page);
            Check(access.Write(AddressOf(page), _stamp), page);
            Written[page] = true;
            WrittenCount++;
        }
    }

    private void Read(int page) => Check(access.Read(AddressOf(page), _page), page);

    private ulong Expected(int page)
    {
        if (!Written[page])
        {
            return checksums![page];
        }

        FillStamp(page);
        return PageChecksum.Of(_stamp);
    }

    private void FillStamp(int page)
    {
        var random = new SeededRandom(SeededRandom.Mix(seed + (ulong)page));
        foreach (ref ulong word in MemoryMarshal.Cast<byte, ulong>(_stamp.AsSpan()))
        {
            word = random.Next();
        }
    }

    private VirtualAddress AddressOf(int page) => memory.Range.Start + ((ulong)page * PageSize.Small);

    private void Check(AccessResult result, int page)
    {
        if (!result.IsOk)
        {
            string reason = memory.Loss ?? "the pager made it an error, because its store failed or did not answer in time";
            throw new ToolException(ExitCode.Failed, string.Create(CultureInfo.InvariantCulture, $"page {page} cannot be had: {reason} ({result.Fault})."));
        }
    }
}
