namespace Faultline;

/// <summary>What a system call without a value answered.</summary>
/// <param name="Errno">The error, or <see cref="Errno.None"/>.</param>
public readonly record struct SystemResult(Errno Errno)
{
    /// <summary>Success.</summary>
    public static SystemResult Ok => default;

    /// <summary>Whether the call succeeded.</summary>
    public bool IsOk => Errno == Errno.None;

    /// <summary>Throws if the call failed: for callers to whom any error is a surprise.</summary>
    /// <param name="call">The call, as the message should name it.</param>
    /// <param name="range">The range it was made on.</param>
    /// <exception cref="MemoryEngineException">The call failed.</exception>
    public void OrThrow(string call, AddressRange range = default)
    {
        if (!IsOk)
        {
            throw new MemoryEngineException(call, range, Errno);
        }
    }
}
