namespace Faultline.Mm;

/// <summary>How a fill's answer is made of the bytes done and the error that stopped it.</summary>
internal static class FillOutcome
{
    /// <summary>Refused because an event is on its way: with the error in the field, unlike the other refusals.</summary>
    public static FillResult Changing => new(Errno.EAGAIN, -(long)Errno.EAGAIN);

    /// <summary>Refused before the field was written.</summary>
    public static FillResult Refused(Errno errno) => new(errno, FillResult.FieldUntouched);

    /// <summary>Everything done is success; something is EAGAIN with the count; nothing is the error itself, in the field too.</summary>
    public static FillResult Of(ulong done, ulong wanted, Errno errno) =>
        done == wanted ? new(Errno.None, (long)done)
        : done > 0 ? new(Errno.EAGAIN, (long)done)
        : new(errno, -(long)errno);
}
