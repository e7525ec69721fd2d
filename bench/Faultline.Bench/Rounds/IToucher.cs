namespace Faultline.Bench;

/// <summary>Makes threads that touch pages.</summary>
internal interface IToucher
{
    /// <summary>Starts a thread on a CPU that reads one byte of each page, in order.</summary>
    ITouching Start(VirtualAddress start, int pages, int cpu);
}
