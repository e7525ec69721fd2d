using System;

namespace Faultline.Paging;

/// <summary>An image mapped into this program. It is read and written through leases, or through <see cref="Read"/> and <see cref="Write"/>.</summary>
/// <remarks>
/// Its addresses must not be touched by managed code in any other way: a thread that waits for a page in managed code blocks the garbage collector, and
/// the collector may block the thread that brings the page.
/// </remarks>
public sealed class PagedMemory : IDisposable
{
    /// <summary>Where it is mapped.</summary>
    public AddressRange Range => throw new NotSupportedException();

    /// <summary>The image.</summary>
    public PagedImage Image => throw new NotSupportedException();

    /// <summary>The client that stands for it in the pager.</summary>
    public PagerClient Client => throw new NotSupportedException();

    /// <summary>The length in bytes.</summary>
    public ulong Length => throw new NotSupportedException();

    /// <summary>Brings a range, keeps it resident, and hands it out as a span until the lease is disposed.</summary>
    /// <param name="offset">Where it begins, in bytes.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="access">What for.</param>
    /// <exception cref="PageLoadException">A page could not be brought. It may be tried again.</exception>
    public Lease Lease(ulong offset, int length, LeaseAccess access = LeaseAccess.Read) => throw new NotSupportedException();

    /// <summary>Copies bytes out.</summary>
    /// <param name="offset">Where to begin, in bytes.</param>
    /// <param name="target">Receives the bytes.</param>
    /// <exception cref="PageLoadException">A page could not be brought. It may be tried again.</exception>
    public void Read(ulong offset, Span<byte> target) => throw new NotSupportedException();

    /// <summary>Copies bytes in.</summary>
    /// <param name="offset">Where to begin, in bytes.</param>
    /// <param name="source">The bytes.</param>
    /// <exception cref="PageLoadException">A page could not be brought. It may be tried again.</exception>
    public void Write(ulong offset, ReadOnlySpan<byte> source) => throw new NotSupportedException();

    /// <summary>Unmaps the memory when the last lease of it ends; new leases are refused at once.</summary>
    public void Dispose() => throw new NotSupportedException();
}
