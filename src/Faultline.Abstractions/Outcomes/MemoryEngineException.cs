using System;

namespace Faultline;

/// <summary>A call that was expected to succeed answered an error. The message names the call, the range and the error.</summary>
public sealed class MemoryEngineException : Exception
{
    /// <summary>Describes a failed call.</summary>
    /// <param name="call">The call as documented, for example <c>UFFDIO_CONTINUE</c>.</param>
    /// <param name="range">The range it was made on; empty if it has none.</param>
    /// <param name="errno">The engine's answer.</param>
    /// <param name="advice">One sentence on what to do; may be null.</param>
    public MemoryEngineException(string call, AddressRange range, Errno errno, string? advice = null)
        : base($"{call}{(range.Length == 0 ? string.Empty : $" on {range}")} failed with {errno}.{(advice is null ? string.Empty : " " + advice)}")
    {
        Call = call;
        Range = range;
        Errno = errno;
    }

    /// <summary>The call as documented.</summary>
    public string Call { get; }

    /// <summary>The range the call was made on; empty if it has none.</summary>
    public AddressRange Range { get; }

    /// <summary>The engine's answer.</summary>
    public Errno Errno { get; }
}
