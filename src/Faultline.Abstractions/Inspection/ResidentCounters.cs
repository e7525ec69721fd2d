namespace Faultline;

/// <summary>The resident set by kind, in bytes (<c>/proc/pid/status</c>, Linux: <c>mm_struct.rss_stat</c>). Hugetlb pages are not in it.</summary>
/// <param name="Anonymous">Pages of no file: RssAnon.</param>
/// <param name="File">Pages of ordinary files: RssFile.</param>
/// <param name="Shmem">Pages of shmem: RssShmem.</param>
/// <param name="Swap">Pages swapped out: VmSwap.</param>
public readonly record struct ResidentCounters(ulong Anonymous, ulong File, ulong Shmem, ulong Swap);
