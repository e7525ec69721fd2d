namespace Faultline.Linux.Children;

/// <summary>What a stub thread can do.</summary>
internal enum StubOperation : long
{
    /// <summary>A system call.</summary>
    Call = 1,

    /// <summary>Result = eight bytes at A0.</summary>
    Load = 2,

    /// <summary>Eight bytes at A0 = A1.</summary>
    Store = 3,

    /// <summary>Result = eight bytes at A0; if they equal A2, they become A1.</summary>
    CompareExchange = 4,

    /// <summary>A2 bytes from A1 to A0.</summary>
    Copy = 5,

    /// <summary>clone(2) with the flags A0; the newborn runs on the block A1.</summary>
    Clone = 6,
}
