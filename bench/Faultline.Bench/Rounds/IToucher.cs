namespace Faultline.Bench;

/// <summary>Makes threads that touch pages.</summary>
internal interface IToucher
{
    /// <summary>Prepares a thread on a CPU that reads one byte of each page, in order.</summary>
    ITouching Prepare(VirtualAddress start, int pages, int cpu);
}
