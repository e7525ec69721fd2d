namespace Faultline.Mm;

/// <summary>How an attempt to make one huge page ended (Linux: <c>enum scan_result</c>).</summary>
internal enum CollapseResult
{
    Done,

    /// <summary>There is a huge entry already.</summary>
    AlreadyHuge,

    /// <summary>Nothing was ever there: no lowest-level table.</summary>
    NoTable,

    /// <summary>Nothing was ever near: no second-level table either.</summary>
    NoMiddleTable,

    /// <summary>More absent or zero pages than allowed; an armed mapping allows none, for each is to be asked for.</summary>
    TooManyAbsent,

    TooManySwapped,

    TooManyShared,

    /// <summary>A page is write-protected by userfaultfd.</summary>
    WriteProtected,

    /// <summary>None of the pages was used lately.</summary>
    NotUsed,

    /// <summary>Somebody is busy with a page: it may go another time.</summary>
    Busy,

    /// <summary>The mapping, or what is in it, can not be made huge.</summary>
    Unsuitable,

    NoMemory,

    /// <summary>The control group is full.</summary>
    OverLimit,
}
