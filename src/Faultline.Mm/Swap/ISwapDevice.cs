using System;

namespace Faultline.Mm;

/// <summary>What swapped pages are written to. Calls may come from any thread, but never two for one page at once.</summary>
public interface ISwapDevice : IDisposable
{
    /// <summary>The number of pages it holds.</summary>
    uint PageCount { get; }

    /// <summary>Writes a page.</summary>
    /// <param name="page">Which page of the device.</param>
    /// <param name="source">4096 bytes.</param>
    /// <returns>Whether it was written; false leaves the page of memory where it is.</returns>
    bool TryWrite(uint page, ReadOnlySpan<byte> source);

    /// <summary>Reads a page that was written.</summary>
    /// <param name="page">Which page of the device.</param>
    /// <param name="target">4096 bytes.</param>
    /// <returns>Whether it was read; false ends the access that needs it in a bus error.</returns>
    bool TryRead(uint page, Span<byte> target);
}
