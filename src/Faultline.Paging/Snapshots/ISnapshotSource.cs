using System;

namespace Faultline.Paging;

/// <summary>The memory behind a snapshot. Offsets count from the start of what was frozen.</summary>
internal interface ISnapshotSource : IDisposable
{
    /// <summary>Copies a page that is about to be written to. It must not fault: the caller may be the only one who could resolve it.</summary>
    /// <param name="page">The page.</param>
    /// <param name="addresses">Where it is.</param>
    /// <param name="copy">Receives its bytes.</param>
    /// <param name="cause">Why it could not be copied.</param>
    KeepResult Keep(int page, AddressRange addresses, Span<byte> copy, out Exception? cause);

    /// <summary>Reads bytes of pages that nobody has written to since the instant, unless <paramref name="origin"/> says that they are to be
    /// had from what is behind the memory. May wait; no lock is held.</summary>
    /// <param name="offset">Where to begin.</param>
    /// <param name="target">Receives the bytes.</param>
    /// <param name="origin">Where they are.</param>
    /// <returns>Why that failed, or null.</returns>
    Exception? Read(ulong offset, Span<byte> target, SnapshotOrigin origin);
}
