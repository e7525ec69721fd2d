using System;

namespace Faultline.Linux;

/// <summary>
/// Where the system calls of an address space run: in this process, or on a thread of the process that owns the address space.
/// Both share one descriptor table, so a descriptor number means the same on either side. Safe for concurrent callers; a call may
/// block for as long as the system call does.
/// </summary>
internal abstract class SystemCaller
{
    /// <summary>The process whose address space it is, for <c>/proc/pid</c>.</summary>
    internal abstract int ProcessId { get; }

    /// <summary>Makes a system call whose arguments are plain values.</summary>
    /// <returns>The result, or a negative error number.</returns>
    internal abstract long Invoke(long number, nint a0, nint a1, nint a2, nint a3, nint a4, nint a5);

    /// <summary>
    /// Makes an ioctl(2) with a structure, which the other side must be able to address: it is copied there and back where needed.
    /// </summary>
    /// <returns>The result, or a negative error number; <paramref name="argument"/> as the kernel left it.</returns>
    internal abstract long InvokeIoctl(int descriptor, uint request, Span<byte> argument);

    /// <summary>Makes a system call of up to three plain arguments.</summary>
    internal long Invoke(long number, nint a0 = 0, nint a1 = 0, nint a2 = 0) => Invoke(number, a0, a1, a2, 0, 0, 0);
}
