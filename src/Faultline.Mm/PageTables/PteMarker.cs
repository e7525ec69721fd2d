using System;

namespace Faultline.Mm;

/// <summary>What a marker entry says; it is an entry without a page (Linux: <c>pte_marker</c>).</summary>
[Flags]
internal enum PteMarker : uint
{
    None = 0,

    /// <summary>Whatever comes here is to be write-protected by userfaultfd.</summary>
    WriteProtect = 1,

    /// <summary>Accesses fail: UFFDIO_POISON.</summary>
    Poison = 2,

    /// <summary>Accesses fail: a guard region.</summary>
    Guard = 4,
}
