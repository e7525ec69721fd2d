namespace Faultline;

/// <summary>The result of an access to memory.</summary>
/// <param name="Fault">How it ended.</param>
/// <param name="Address">The address the fault was taken on (Linux: <c>si_addr</c>), where the access mode tells it; else zero.</param>
/// <param name="BytesDone">The bytes transferred before the fault, or all of them.</param>
public readonly record struct AccessResult(AccessFault Fault, VirtualAddress Address, ulong BytesDone)
{
    /// <summary>Whether the whole access was made.</summary>
    public bool IsOk => Fault == AccessFault.None;
}
