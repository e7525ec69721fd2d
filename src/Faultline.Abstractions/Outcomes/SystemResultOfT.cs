namespace Faultline;

/// <summary>What a system call with a value answered.</summary>
/// <typeparam name="T">The kind of value.</typeparam>
/// <param name="Value">The value; meaningful only on success.</param>
/// <param name="Errno">The error, or <see cref="Errno.None"/>.</param>
public readonly record struct SystemResult<T>(T Value, Errno Errno)
{
    /// <summary>Whether the call succeeded.</summary>
    public bool IsOk => Errno == Errno.None;

    /// <summary>The value, or an exception if the call failed: for callers to whom any error is a surprise.</summary>
    /// <param name="call">The call, as the message should name it.</param>
    /// <param name="range">The range it was made on.</param>
    /// <exception cref="MemoryEngineException">The call failed.</exception>
    public T OrThrow(string call, AddressRange range = default) =>
        IsOk ? Value : throw new MemoryEngineException(call, range, Errno);
}
