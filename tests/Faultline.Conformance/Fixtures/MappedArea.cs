using System;

namespace Faultline.Conformance;

/// <summary>Memory a case has mapped, counted in pages of its kind.</summary>
/// <param name="Kind">What it is made of.</param>
/// <param name="Range">Where it is.</param>
/// <param name="File">Its file; null for anonymous memory.</param>
/// <param name="FileStart">The offset of its first byte in the file.</param>
public sealed record MappedArea(MemoryKind Kind, AddressRange Range, IMemoryFile? File, ulong FileStart = 0)
{
    /// <summary>The size of a page in bytes.</summary>
    public ulong PageBytes => Kind.PageBytes();

    /// <summary>The number of pages.</summary>
    public int PageTotal => (int)(Range.Length / PageBytes);

    /// <summary>The file, of an area that has one.</summary>
    public IMemoryFile Backing => File ?? throw new InvalidOperationException($"{Kind} memory at {Range} has no file.");

    /// <summary>One page.</summary>
    public AddressRange Page(int index) => Range.Slice((ulong)index * PageBytes, PageBytes);

    /// <summary>Some pages.</summary>
    public AddressRange Pages(int first, int count) => Range.Slice((ulong)first * PageBytes, (ulong)count * PageBytes);

    /// <summary>An address within a page.</summary>
    public VirtualAddress At(int page, ulong offset = 0) => Range.Start + (((ulong)page * PageBytes) + offset);

    /// <summary>The offset of a page in the file.</summary>
    public ulong FileOffset(int page) => FileStart + ((ulong)page * PageBytes);
}
