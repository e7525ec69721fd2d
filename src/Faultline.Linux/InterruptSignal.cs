using System;
using System.Runtime.InteropServices;
using Faultline.Linux.Abi;

namespace Faultline.Linux;

/// <summary>
/// A signal whose handler does nothing, installed without SA_RESTART: it makes a blocked system call of one thread answer EINTR.
/// The handler is the C library's <c>abs</c>, which is native, takes an int, and touches nothing; no managed code may run there.
/// </summary>
internal static unsafe class InterruptSignal
{
    /// <summary>The signal: the highest real-time one that nobody handles. The runtime uses the lowest.</summary>
    internal static readonly int Number = Install();

    /// <summary>Interrupts a thread of this process; one that is gone is left alone.</summary>
    internal static void Send(int threadId) =>
        _ = LibC.syscall(SystemCallNumbers.Tgkill, Environment.ProcessId, threadId, Number, 0, 0, 0);

    private static int Install()
    {
        for (int signal = signal_h.SIGRTMAX; signal > signal_h.SIGRTMAX - 16; signal--)
        {
            sigaction old;
            if (LibC.sigaction(signal, null, &old) == 0 && old.sa_handler == 0)
            {
                sigaction action = default;
                action.sa_handler = NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "abs");
                if (LibC.sigaction(signal, &action, null) == 0)
                {
                    return signal;
                }
            }
        }

        throw new InvalidOperationException("No real-time signal is free to interrupt blocked threads with.");
    }
}
