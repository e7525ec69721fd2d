using System;

namespace Faultline.Paging;

/// <summary>A range of <see cref="PagedMemory"/> that is resident, and stays so until this is disposed. Dispose it exactly once.</summary>
public ref struct Lease
{
    private readonly Span<byte> _bytes;
    private readonly byte[]? _rented;
    private readonly ulong _offset;
    private readonly LeaseAccess _access;
    private readonly int _first;
    private readonly int _count;
    private PagedMemory? _memory;

    internal Lease(PagedMemory memory, Span<byte> bytes, byte[]? rented, ulong offset, LeaseAccess access, int first, int count)
    {
        _memory = memory;
        _bytes = bytes;
        _rented = rented;
        _offset = offset;
        _access = access;
        _first = first;
        _count = count;
    }

    /// <summary>The bytes, for reading.</summary>
    /// <exception cref="ObjectDisposedException">The lease has ended.</exception>
    public readonly ReadOnlySpan<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(_memory is null, typeof(Lease));
            return _bytes;
        }
    }

    /// <summary>The bytes, for reading and writing. Only with <see cref="LeaseAccess.Write"/>.</summary>
    /// <exception cref="ObjectDisposedException">The lease has ended.</exception>
    /// <exception cref="InvalidOperationException">The lease is for reading.</exception>
    public readonly Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_memory is null, typeof(Lease));
            return _access == LeaseAccess.Write ? _bytes : throw new InvalidOperationException("The lease is for reading; ask for LeaseAccess.Write to write.");
        }
    }

    /// <summary>Ends the lease; what it handed out must not be used any more.</summary>
    /// <exception cref="PageLoadException">The engine gives out copies, and what was written could not be put back.</exception>
    public void Dispose()
    {
        if (_memory is { } memory)
        {
            _memory = null;
            memory.EndLease(_offset, _rented is not null && _access == LeaseAccess.Write ? _bytes : default, _rented, _access, _first, _count);
        }
    }
}
