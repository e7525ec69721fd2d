using System;
using System.Collections.Generic;
using System.Reflection;
using Faultline.Linux.Children;

namespace Faultline.Linux.Tests.AbiProof;

/// <summary>The numbers that child processes use, which are spelled the .NET way.</summary>
internal static class ChildTable
{
    // Members of ChildCalls that are not system call numbers; what is not listed is SYS_ and the name in C's spelling.
    private static readonly Dictionary<string, string> Spelling = new(StringComparer.Ordinal)
    {
        ["FutexWait"] = "FUTEX_WAIT",
        ["FutexWake"] = "FUTEX_WAKE",
        ["PrSetName"] = "PR_SET_NAME",
        ["RlimitCore"] = "(int)RLIMIT_CORE",
        ["WaitPidfd"] = "P_PIDFD",
        ["WaitNoHang"] = "WNOHANG",
        ["WaitNoWait"] = "WNOWAIT",
        ["WaitExited"] = "WEXITED",
        ["WaitAll"] = "__WALL",
        ["MadvPopulateRead"] = "MADV_POPULATE_READ",
        ["MadvPopulateWrite"] = "MADV_POPULATE_WRITE",
        ["CloneVm"] = "CLONE_VM",
        ["CloneFs"] = "CLONE_FS",
        ["CloneFiles"] = "CLONE_FILES",
        ["CloneSighand"] = "CLONE_SIGHAND",
        ["CloneParent"] = "CLONE_PARENT",
        ["CloneThread"] = "CLONE_THREAD",
        ["CloneSysvsem"] = "CLONE_SYSVSEM",
        ["CloneParentSettid"] = "CLONE_PARENT_SETTID",
        ["CloneChildCleartid"] = "CLONE_CHILD_CLEARTID",
        ["ThreadFlags"] = "(CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM|CLONE_PARENT_SETTID|CLONE_CHILD_CLEARTID)",
        ["ProcessFlags"] = "(CLONE_FILES|CLONE_PARENT|CLONE_PARENT_SETTID)",
        ["LauncherFlags"] = "(CLONE_VM|CLONE_FILES)",
        ["RtSigaction"] = "SYS_rt_sigaction",
        ["Pread"] = "SYS_pread64",
        ["ProcessVmWritev"] = "SYS_process_vm_writev",
        ["PidfdSendSignal"] = "SYS_pidfd_send_signal",
        ["PidfdOpen"] = "SYS_pidfd_open",
        ["Bus"] = "SIGBUS",
        ["Usr1"] = "SIGUSR1",
        ["Segv"] = "SIGSEGV",
        ["SegvAccerr"] = "SEGV_ACCERR",
        ["SegvPkuerr"] = "SEGV_PKUERR",
        ["BusMceerrAr"] = "BUS_MCEERR_AR",
        ["BusMceerrAo"] = "BUS_MCEERR_AO",
    };

    internal static IEnumerable<AbiRow> Rows()
    {
        foreach (Type type in (Type[])[typeof(ChildCalls), typeof(ChildSignals)])
        {
            foreach (FieldInfo field in type.GetFields(BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.Static))
            {
                // Kill is a call in one class and a signal in the other.
                string expression = type == typeof(ChildSignals) && field.Name == "Kill" ? "SIGKILL"
                    : Spelling.TryGetValue(field.Name, out string? spelled) ? spelled
                    : "SYS_" + field.Name.ToLowerInvariant();
                yield return new($"{type.Name}.{field.Name}", expression, AbiRow.BitsOf(field.GetRawConstantValue()));
            }
        }
    }
}
