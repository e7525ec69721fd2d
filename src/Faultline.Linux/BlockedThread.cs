using System;
using System.Buffers.Text;
using System.Globalization;
using System.IO;

namespace Faultline.Linux;

/// <summary>Where a thread sleeps (proc_pid_syscall(5), proc_pid_wchan(5)). One that runs, or was woken and has not run yet, sleeps nowhere.</summary>
internal static class BlockedThread
{
    private const int TextLength = 256;

    /// <summary>Whether a thread sleeps in a system call whose first argument is a descriptor.</summary>
    /// <remarks>
    /// The number of the call is not asked for, because it differs between processors; it would add nothing: the first argument of what else a thread of
    /// the runtime sleeps in, futex(2), is an address.
    /// </remarks>
    internal static bool IsInCallOn(int threadId, int descriptor)
    {
        Span<byte> text = stackalloc byte[TextLength];

        // "NUMBER 0xFIRST 0xSECOND ...", or "running".
        ReadOnlySpan<byte> call = Read(ProcFile.ThreadCall, threadId, text);
        int first = call.IndexOf(" 0x"u8);
        return first > 0 && Utf8Parser.TryParse(call[(first + 3)..], out ulong argument, out _, 'x') && argument == (ulong)descriptor;
    }

    /// <summary>Whether a thread sleeps in a function of the kernel, whatever the compiler has added to its name.</summary>
    internal static bool IsInFunction(int threadId, ReadOnlySpan<byte> function)
    {
        Span<byte> text = stackalloc byte[TextLength];
        return FunctionOf(threadId, text).StartsWith(function);
    }

    /// <summary>Whether this kernel tells in which function a thread sleeps: asked of this process, some of whose threads always do.</summary>
    internal static bool CanTellFunctions()
    {
        Span<byte> text = stackalloc byte[TextLength];
        foreach (string thread in Directory.EnumerateDirectories("/proc/self/task"))
        {
            if (int.TryParse(Path.GetFileName(thread), CultureInfo.InvariantCulture, out int threadId) && FunctionOf(threadId, text).Length != 0)
            {
                return true;
            }
        }

        return false;
    }

    // Since 6.12 a thread that has fallen asleep may stay on its processor's queue for a while (DELAY_DEQUEUE), and has no wait channel that long. Asking for
    // its system call takes it off.
    private static ReadOnlySpan<byte> FunctionOf(int threadId, Span<byte> text)
    {
        if (Read(ProcFile.ThreadCall, threadId, text).StartsWith("running"u8))
        {
            return default;
        }

        ReadOnlySpan<byte> function = Read(ProcFile.WaitChannel, threadId, text);
        return function.SequenceEqual("0"u8) ? default : function;
    }

    private static ReadOnlySpan<byte> Read(ReadOnlySpan<byte> file, int threadId, Span<byte> text) =>
        ProcFile.Read(file, threadId, text, out int length) == Errno.None ? text[..length] : default;
}
