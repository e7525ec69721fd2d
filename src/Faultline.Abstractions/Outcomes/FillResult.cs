namespace Faultline;

/// <summary>
/// What COPY, ZEROPAGE, CONTINUE, MOVE and POISON answered: the errno and the signed progress field, as the kernel means them.
/// </summary>
/// <remarks>
/// A negative field is an error number and never a count. EAGAIN has two meanings, told apart by the sign alone: with a negative
/// field the address space is changing and nothing was done (<see cref="IsChanging"/>); with a positive one the call was cut
/// short and the rest, tried again, tells why (<see cref="IsPartial"/>).
/// </remarks>
/// <param name="Errno">The error, or <see cref="Errno.None"/> when the whole range was done.</param>
/// <param name="Field">The progress field, or <see cref="FieldUntouched"/> if the kernel did not write it.</param>
public readonly record struct FillResult(Errno Errno, long Field)
{
    /// <summary>The value of <see cref="Field"/> when the call did not write it (EFAULT, EINVAL of the arguments, ESRCH).</summary>
    public const long FieldUntouched = long.MinValue;

    /// <summary>Whether the whole range was done.</summary>
    public bool IsOk => Errno == Errno.None;

    /// <summary>Whether an event is pending (<c>mmap_changing</c>) or a lock was not to be had: retry with the same arguments, later.</summary>
    public bool IsChanging => Errno == Errno.EAGAIN && Field <= 0;

    /// <summary>Whether a part was done, and an error stopped the rest.</summary>
    public bool IsPartial => Errno == Errno.EAGAIN && Field > 0;

    /// <summary>The bytes done from the start of the range; zero on any error without progress.</summary>
    public ulong BytesDone => Field > 0 ? (ulong)Field : 0;
}
