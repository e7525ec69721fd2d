namespace Faultline.Linux.Children;

/// <summary>The three signals a child takes; it blocks all others, so nothing that is sent to a process group reaches it.</summary>
internal static class ChildSignals
{
    internal const int Bus = 7;
    internal const int Kill = 9;
    internal const int Usr1 = 10;
    internal const int Segv = 11;

    // si_code
    internal const int SegvAccerr = 2;
    internal const int SegvPkuerr = 4;
    internal const int BusMceerrAr = 4;
    internal const int BusMceerrAo = 5;

    /// <summary>The bit of a signal in a kernel's signal set.</summary>
    internal static ulong Bit(int signal) => 1UL << (signal - 1);

    /// <summary>How an access ended.</summary>
    internal static AccessFault Fault(in StubCommand command) => command.Signal switch
    {
        0 => AccessFault.None,
        Segv => command.Code is SegvAccerr or SegvPkuerr ? AccessFault.Protection : AccessFault.NotMapped,
        Bus => command.Code is BusMceerrAr or BusMceerrAo ? AccessFault.HardwarePoison : AccessFault.BusError,
        _ => AccessFault.Killed,
    };
}
