using System;

namespace Faultline.Linux;

/// <summary>What a whole process holds in memory (<c>/proc/pid/smaps_rollup</c>), in bytes.</summary>
public readonly record struct ProcessMemory
{
    /// <summary>Resident.</summary>
    public ulong Resident { get; init; }

    /// <summary>Resident, each page divided by the number of its mappers. The sum over all processes is the memory they take together.</summary>
    public ulong ProportionalResident { get; init; }

    /// <summary>The part of <see cref="ProportionalResident"/> that belongs to no file.</summary>
    public ulong ProportionalAnonymous { get; init; }

    /// <summary>The part of <see cref="ProportionalResident"/> that belongs to ordinary files.</summary>
    public ulong ProportionalFile { get; init; }

    /// <summary>The part of <see cref="ProportionalResident"/> that belongs to shmem.</summary>
    public ulong ProportionalShmem { get; init; }

    /// <summary>Swapped out, each page divided by the number of its users.</summary>
    public ulong ProportionalSwap { get; init; }

    /// <summary>Reads it.</summary>
    /// <param name="processId">Any process the caller may look at.</param>
    /// <returns>The amounts, or ESRCH (gone), EACCES.</returns>
    public static SystemResult<ProcessMemory> Read(int processId)
    {
        Span<byte> text = stackalloc byte[4096];
        Errno errno = ProcFile.Read(ProcFile.SmapsRollup, processId, text, out int length);
        text = text[..length];
        if (errno != Errno.None || ProcFile.Number(text, "\nPss:"u8) < 0)
        {
            return new(default, errno is Errno.None or Errno.ENOENT ? Errno.ESRCH : errno);
        }

        return new(
            new()
            {
                Resident = Amount(text, "\nRss:"u8),
                ProportionalResident = Amount(text, "\nPss:"u8),
                ProportionalAnonymous = Amount(text, "\nPss_Anon:"u8),
                ProportionalFile = Amount(text, "\nPss_File:"u8),
                ProportionalShmem = Amount(text, "\nPss_Shmem:"u8),
                ProportionalSwap = Amount(text, "\nSwapPss:"u8),
            },
            Errno.None);
    }

    private static ulong Amount(ReadOnlySpan<byte> text, ReadOnlySpan<byte> label) => (ulong)Math.Max(0, ProcFile.Number(text, label)) << 10;
}
