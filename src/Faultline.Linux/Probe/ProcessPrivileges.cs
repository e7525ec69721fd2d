using System;
using System.Globalization;
using System.IO;

namespace Faultline.Linux;

/// <summary>What <c>/proc/self/status</c> says the process may do (proc_pid_status(5)).</summary>
internal readonly record struct ProcessPrivileges
{
    private const int PtraceCapability = 19;

    private ProcessPrivileges(ulong effective, int seccompMode)
    {
        HasPtrace = (effective >> PtraceCapability & 1) != 0;
        SeccompMode = seccompMode;
    }

    /// <summary>Whether CAP_SYS_PTRACE is in the effective set.</summary>
    internal bool HasPtrace { get; }

    /// <summary>0: no seccomp; 1: strict; 2: a filter.</summary>
    internal int SeccompMode { get; }

    internal static ProcessPrivileges Read()
    {
        ulong effective = 0;
        int seccompMode = 0;
        foreach (string line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith("CapEff:", StringComparison.Ordinal))
            {
                effective = ulong.Parse(line.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            }
            else if (line.StartsWith("Seccomp:", StringComparison.Ordinal))
            {
                seccompMode = int.Parse(line.AsSpan(8).Trim(), CultureInfo.InvariantCulture);
            }
        }

        return new(effective, seccompMode);
    }
}
