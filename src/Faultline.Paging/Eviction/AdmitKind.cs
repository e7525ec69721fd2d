namespace Faultline.Paging;

/// <summary>What comes of a wish to write to a page.</summary>
internal enum AdmitKind
{
    /// <summary>Its chunk is noted as written: it may be mapped writable.</summary>
    Admitted = 0,

    /// <summary>It is on its way out; the fault has been put among those that wait for that.</summary>
    Waits,

    /// <summary>It is not in memory.</summary>
    Absent,
}
