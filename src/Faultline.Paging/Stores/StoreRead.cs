using System;

namespace Faultline.Paging;

/// <summary>How a read of a store ended: with bytes, or with a cause.</summary>
public readonly record struct StoreRead
{
    private StoreRead(int bytesRead, Exception? cause)
    {
        BytesRead = bytesRead;
        Cause = cause;
    }

    /// <summary>The number of bytes read; zero if the read failed.</summary>
    public int BytesRead { get; }

    /// <summary>Why the read failed, or null if it did not.</summary>
    public Exception? Cause { get; }

    /// <summary>Whether the read succeeded.</summary>
    public bool IsOk => Cause is null;

    /// <summary>A read that succeeded.</summary>
    /// <param name="bytes">The number of bytes read.</param>
    public static StoreRead Of(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        return new(bytes, null);
    }

    /// <summary>A read that failed.</summary>
    /// <param name="cause">Why.</param>
    public static StoreRead Failed(Exception cause)
    {
        ArgumentNullException.ThrowIfNull(cause);
        return new(0, cause);
    }
}
