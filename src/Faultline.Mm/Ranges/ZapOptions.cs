using System;

namespace Faultline.Mm;

/// <summary>What a zap takes with it (Linux: <c>struct zap_details</c>).</summary>
[Flags]
internal enum ZapOptions
{
    None = 0,

    /// <summary>Private copies too, and poison markers; without it only pages of the file go.</summary>
    PrivateCopies = 1,

    /// <summary>Markers of every kind go, and none are left: the mapping itself goes.</summary>
    DropMarkers = 2,

    /// <summary>Zero pages stay: it is the pages of the file that go from every mapping, not a range of it.</summary>
    KeepZeroPages = 4,
}
