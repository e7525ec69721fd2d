using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>An event that a call waits for somebody to read (Linux: <c>userfaultfd_event_wait_completion</c>).</summary>
internal sealed class PendingEvent
{
    public PendingEvent(UserfaultfdContext context, UserfaultfdEvent kind, ulong start, ulong length, ulong from = 0, UserfaultfdContext? forked = null)
    {
        Context = context;
        Kind = kind;
        Start = start;
        Length = length;
        From = from;
        Forked = forked;
    }

    public UserfaultfdContext Context { get; }

    public UserfaultfdEvent Kind { get; }

    /// <summary>Remove, unmap: the range. Remap: where it is now.</summary>
    public ulong Start { get; }

    public ulong Length { get; }

    /// <summary>Remap: where it was.</summary>
    public ulong From { get; }

    /// <summary>Fork: the child's context.</summary>
    public UserfaultfdContext? Forked { get; }

    /// <summary>Where the call sleeps.</summary>
    public Parker Parker { get; } = new();

    /// <summary>Whether it was read, or will never be. Guard: the context's queue lock.</summary>
    public bool IsOver { get; set; }

    /// <summary>Whether a reader has taken it: the forked context is the reader's then. Guard: the context's queue lock.</summary>
    public bool IsRead { get; set; }
}
