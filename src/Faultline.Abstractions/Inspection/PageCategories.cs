using System;

namespace Faultline;

/// <summary>Categories of pages for PAGEMAP_SCAN, with Linux' <c>PAGE_IS_*</c> values.</summary>
[Flags]
public enum PageCategories : ulong
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The mapping is registered for asynchronous write-protection.</summary>
    WriteProtectAllowed = 1,

    /// <summary>Not write-protected by userfaultfd: written since it was, or never protected.</summary>
    Written = 2,

    /// <summary>A page of a file.</summary>
    File = 4,

    /// <summary>In memory.</summary>
    Present = 8,

    /// <summary>Swapped out, or a marker.</summary>
    Swapped = 0x10,

    /// <summary>The zero page.</summary>
    ZeroPage = 0x20,

    /// <summary>Mapped by a huge entry.</summary>
    Huge = 0x40,

    /// <summary>Soft-dirty.</summary>
    SoftDirty = 0x80,

    /// <summary>A guard region.</summary>
    Guard = 0x100,
}
