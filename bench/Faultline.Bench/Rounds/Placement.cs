namespace Faultline.Bench;

/// <summary>The CPUs the two threads of a round are pinned to. On a virtual machine nothing decides the time of a fault more.</summary>
/// <param name="FaultingCpu">The CPU of the thread that touches the pages.</param>
/// <param name="HandlerCpu">The CPU of the thread that resolves the faults.</param>
public readonly record struct Placement(int FaultingCpu, int HandlerCpu)
{
    /// <summary>Whether the two threads share a CPU.</summary>
    public bool IsOneCpu => FaultingCpu == HandlerCpu;
}
