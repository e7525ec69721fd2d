namespace Faultline;

/// <summary>What <see cref="IAddressSpace.Advise"/> asks for, with the values of Linux' <c>MADV_*</c>.</summary>
/// <remarks>Source: madvise(2). A value that is not named here is passed on and answered by the engine, usually with EINVAL.</remarks>
public enum Advice
{
    /// <summary>The default.</summary>
    Normal = 0,

    /// <summary>No read-ahead.</summary>
    Random = 1,

    /// <summary>Much read-ahead.</summary>
    Sequential = 2,

    /// <summary>Bring the pages in soon.</summary>
    WillNeed = 3,

    /// <summary>Drop the pages: anonymous ones read as zero afterwards. Sends a REMOVE event.</summary>
    DontNeed = 4,

    /// <summary>The pages may be dropped when memory is short. Sends a REMOVE event.</summary>
    Free = 8,

    /// <summary>Punch the range out of the shmem file. Sends a REMOVE event.</summary>
    Remove = 9,

    /// <summary>A forked child does not get the range.</summary>
    DontFork = 10,

    /// <summary>A forked child gets the range.</summary>
    DoFork = 11,

    /// <summary>Transparent huge pages are welcome.</summary>
    HugePage = 14,

    /// <summary>No transparent huge pages.</summary>
    NoHugePage = 15,

    /// <summary>A forked child sees zeroes.</summary>
    WipeOnFork = 18,

    /// <summary>A forked child sees the contents.</summary>
    KeepOnFork = 19,

    /// <summary>Deactivate the pages.</summary>
    Cold = 20,

    /// <summary>Swap the pages out.</summary>
    PageOut = 21,

    /// <summary>Fault the range in for reading; errors are answers, not signals.</summary>
    PopulateRead = 22,

    /// <summary>Fault the range in for writing; errors are answers, not signals.</summary>
    PopulateWrite = 23,

    /// <summary>As <see cref="DontNeed"/>, also for locked ranges.</summary>
    DontNeedLocked = 24,

    /// <summary>Make huge pages of the range now.</summary>
    Collapse = 25,

    /// <summary>Make the range a guard region.</summary>
    GuardInstall = 102,

    /// <summary>Make the guard region ordinary again.</summary>
    GuardRemove = 103,
}
