using System;

namespace Faultline.Paging;

/// <summary>A range of <see cref="PagedMemory"/> that is resident, and stays so until this is disposed. Dispose it exactly once.</summary>
public ref struct Lease
{
    private readonly Span<byte> _bytes;

    internal Lease(Span<byte> bytes) => _bytes = bytes;

    /// <summary>The bytes, for reading.</summary>
    public readonly ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>The bytes, for reading and writing. Only with <see cref="LeaseAccess.Write"/>.</summary>
    /// <exception cref="InvalidOperationException">The lease is for reading.</exception>
    public readonly Span<byte> Span => throw new NotSupportedException();

    /// <summary>Ends the lease; what it handed out must not be used any more.</summary>
    public void Dispose()
    {
        this = default;
    }
}
