using System.Threading;

namespace Faultline.Mm;

/// <summary>The resident set of one address space by kind, in pages (Linux: <c>mm_struct.rss_stat</c>). Hugetlb pages are not in it.</summary>
internal sealed class MmCounters
{
    private const int Stride = ProcessorStripes.Bytes / sizeof(long);

    /// <summary>
    /// The kinds side by side, once for each processor: what counts is their sum (Linux: <c>percpu_counter</c>). Guard: atomic. A stripe before the first
    /// keeps the length of the array, which everybody reads, apart.
    /// </summary>
    private readonly long[] _pages = new long[(ProcessorStripes.Count + 1) * Stride];

    /// <summary>The kind a mapped folio is counted as (Linux: <c>mm_counter</c>). It is read off the folio, so rmap comes first.</summary>
    public static CounterKind KindOf(Folio folio) =>
        folio.IsAnonymous ? CounterKind.Anonymous
        : folio.Has(FolioFlags.SwapBacked) ? CounterKind.Shmem
        : CounterKind.File;

    public void Add(CounterKind kind, long pages) => Interlocked.Add(ref _pages[PlaceOf(ProcessorStripes.Current, kind)], pages);

    /// <summary>The sum of the stripes; not of one moment while others count.</summary>
    public long Get(CounterKind kind)
    {
        long sum = 0;
        for (int stripe = 0; stripe < ProcessorStripes.Count; stripe++)
        {
            sum += Volatile.Read(ref _pages[PlaceOf(stripe, kind)]);
        }

        return sum;
    }

    private static int PlaceOf(int stripe, CounterKind kind) => ((stripe + 1) * Stride) + (int)kind;
}
