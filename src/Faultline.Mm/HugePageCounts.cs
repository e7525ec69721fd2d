namespace Faultline.Mm;

/// <summary>The pool of huge pages (Linux: <c>/sys/kernel/mm/hugepages/hugepages-2048kB</c>).</summary>
/// <param name="Total">The pages there are: <c>nr_hugepages</c>.</param>
/// <param name="Free">Pages nobody has: <c>free_hugepages</c>.</param>
/// <param name="Reserved">Free pages that are promised to mappings: <c>resv_hugepages</c>.</param>
public readonly record struct HugePageCounts(int Total, int Free, int Reserved);
