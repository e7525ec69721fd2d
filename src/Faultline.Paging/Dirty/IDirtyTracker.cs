using System;
using System.Collections.Generic;

namespace Faultline.Paging;

/// <summary>
/// Tells which pages of a range were written since it was last asked, exactly, while threads go on writing.
/// </summary>
/// <remarks>
/// No write is lost: what is stored after a page was taken shows in a later call, so whoever copies the taken pages each time, until a
/// call without writers in between takes none, has the memory. No write is invented: a page that is taken was stored to since the last call
/// began. Two things count as stores although no value changes: the first touch of memory that was never populated, when the tracker says so
/// (<see cref="DirtyTracking"/>), and a store of the value that is there already.
/// </remarks>
public interface IDirtyTracker : IDisposable
{
    /// <summary>What is tracked.</summary>
    AddressRange Range { get; }

    /// <summary>How.</summary>
    DirtyTracking Kind { get; }

    /// <summary>The unit of the answers, in bytes: 4 KiB, or 2 MiB on hugetlb.</summary>
    ulong PageBytes { get; }

    /// <summary>Takes the pages written since the last call, or since the tracker began, and starts anew with them.</summary>
    /// <param name="written">Receives their ranges, in order, neighbours joined. What it held is removed first.</param>
    /// <returns>How many pages of <see cref="PageBytes"/> they are.</returns>
    /// <exception cref="MemoryEngineException">The mapping changed: part of the range was unmapped, moved, or registered by someone else.</exception>
    /// <exception cref="ObjectDisposedException">The tracker was disposed.</exception>
    long TakeWritten(ICollection<AddressRange> written);
}
