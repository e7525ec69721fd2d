using System;

namespace Faultline.Paging;

/// <summary>How a write to a store ended: well, or with a cause.</summary>
public readonly record struct StoreWrite
{
    private StoreWrite(Exception cause) => Cause = cause;

    /// <summary>A write that succeeded.</summary>
    public static StoreWrite Done => default;

    /// <summary>Why the write failed, or null if it did not.</summary>
    public Exception? Cause { get; }

    /// <summary>Whether the write succeeded.</summary>
    public bool IsOk => Cause is null;

    /// <summary>A write that failed, wholly or in part.</summary>
    /// <param name="cause">Why.</param>
    public static StoreWrite Failed(Exception cause)
    {
        ArgumentNullException.ThrowIfNull(cause);
        return new(cause);
    }
}
