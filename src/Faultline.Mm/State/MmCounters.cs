using System.Threading;

namespace Faultline.Mm;

/// <summary>The resident set of one address space by kind, in pages (Linux: <c>mm_struct.rss_stat</c>). Hugetlb pages are not in it.</summary>
internal sealed class MmCounters
{
    /// <summary>Guard: atomic. Spread so that the kinds do not share cache lines.</summary>
    private readonly long[] _pages = new long[4 * Stride];

    private const int Stride = 8;

    /// <summary>The kind a mapped folio is counted as (Linux: <c>mm_counter</c>). It is read off the folio, so rmap comes first.</summary>
    public static CounterKind KindOf(Folio folio) =>
        folio.IsAnonymous ? CounterKind.Anonymous
        : folio.Has(FolioFlags.SwapBacked) ? CounterKind.Shmem
        : CounterKind.File;

    public void Add(CounterKind kind, long pages) => Interlocked.Add(ref _pages[(int)kind * Stride], pages);

    public long Get(CounterKind kind) => Volatile.Read(ref _pages[(int)kind * Stride]);
}
