using System.Collections.Generic;
using System.IO;

namespace Faultline.Linux;

/// <summary>The part of the probe that opens userfaultfds: by which door, and what they offer.</summary>
internal sealed class UserfaultfdFindings
{
    private const string SysctlPath = "/proc/sys/vm/unprivileged_userfaultfd";

    private UserfaultfdFindings(UserfaultfdFeatures offered, KernelFinding any, KernelFinding full, IReadOnlyList<KernelFinding> doors)
    {
        Offered = offered;
        Any = any;
        Full = full;
        Doors = doors;
        Features = FindFeatures(offered);
    }

    internal UserfaultfdFeatures Offered { get; }

    /// <summary>Whether any userfaultfd can be opened.</summary>
    internal KernelFinding Any { get; }

    /// <summary>Whether one that reports kernel-mode faults can be opened, by either door.</summary>
    internal KernelFinding Full { get; }

    internal IReadOnlyList<KernelFinding> Doors { get; }

    internal IReadOnlyList<KernelFinding> Features { get; }

    internal static UserfaultfdFindings Find(LinuxAddressSpace home, ProcessPrivileges privileges)
    {
        SystemResult<UserfaultfdFeatures> call = UserfaultfdHandshake.Probe(home, UserfaultfdOptions.CloseOnExec);
        SystemResult<UserfaultfdFeatures> device = UserfaultfdHandshake.Probe(home, UserfaultfdOptions.CloseOnExec, UserfaultfdDoor.Device);
        SystemResult<UserfaultfdFeatures> userOnly = UserfaultfdHandshake.Probe(home, UserfaultfdOptions.CloseOnExec | UserfaultfdOptions.UserModeOnly);
        SystemResult<UserfaultfdFeatures> best = call.IsOk ? call : device.IsOk ? device : userOnly;
        bool isFull = call.IsOk || device.IsOk;
        KernelFinding any = new(
            "userfaultfd",
            best.IsOk ? "works" : $"{call.Errno}",
            best.IsOk,
            IsRequired: true,
            best.IsOk ? string.Empty : $"No userfaultfd can be opened. {Explain(userOnly.Errno, privileges)}");
        KernelFinding full = new(
            "kernel-mode faults",
            isFull ? "reported" : "not reported",
            isFull,
            IsRequired: true,
            isFull ? string.Empty : "Faults inside system calls are not reported: run as root, or with CAP_SYS_PTRACE, or open /dev/userfaultfd to the user, or set sysctl vm.unprivileged_userfaultfd=1.");
        return new(
            best.IsOk ? best.Value : UserfaultfdFeatures.None,
            any,
            full,
            [
                any,
                full,
                new("system call", Answer(call), call.IsOk, IsRequired: false, call.IsOk ? string.Empty : Explain(call.Errno, privileges)),
                new("/dev/userfaultfd", Answer(device), device.IsOk, IsRequired: false, device.IsOk ? string.Empty : ExplainDevice(device.Errno)),
                Sysctl(call.IsOk || device.IsOk),
                Ptrace(privileges, isFull),
                Seccomp(privileges, best.IsOk),
            ]);
    }

    private static string Answer(SystemResult<UserfaultfdFeatures> result) => result.IsOk ? "opens" : result.Errno.ToString();

    private static string Explain(Errno errno, ProcessPrivileges privileges) => errno switch
    {
        Errno.EPERM when privileges.SeccompMode == 2 => "The call answers EPERM, by its rights or by the seccomp filter: give the process CAP_SYS_PTRACE and a filter that allows userfaultfd.",
        Errno.EPERM => "The call answers EPERM: give the process CAP_SYS_PTRACE, or set sysctl vm.unprivileged_userfaultfd=1.",
        Errno.ENOSYS => "The kernel has no userfaultfd: it needs Linux 4.3 or later, built with CONFIG_USERFAULTFD.",
        Errno.EMFILE or Errno.ENFILE => "No descriptor is free: close some, or raise the limit (ulimit -n).",
        _ => $"The call answers {errno}.",
    };

    private static string ExplainDevice(Errno errno) => errno switch
    {
        Errno.ENOENT => "The device is missing: it needs Linux 6.1 or later, and a /dev that shows it.",
        Errno.EACCES or Errno.EPERM => "The device may not be opened: chgrp and chmod it for the user, which grants the full userfaultfd.",
        _ => $"The device answers {errno}.",
    };

    private static KernelFinding Sysctl(bool isFullAnyway)
    {
        string value = File.Exists(SysctlPath) ? File.ReadAllText(SysctlPath).Trim() : "absent";
        bool isOk = value == "1" || isFullAnyway;
        return new(
            "sysctl vm.unprivileged_userfaultfd",
            value,
            isOk,
            IsRequired: false,
            isOk ? string.Empty : "Without privilege only user-mode faults are reported: set it to 1 to have all.");
    }

    private static KernelFinding Ptrace(ProcessPrivileges privileges, bool isFullAnyway)
    {
        string advice = isFullAnyway
            ? "Fork events cannot be had: run with CAP_SYS_PTRACE."
            : "Run with CAP_SYS_PTRACE to have kernel-mode faults and fork events.";
        return new("CAP_SYS_PTRACE", privileges.HasPtrace ? "yes" : "no", privileges.HasPtrace, IsRequired: false, privileges.HasPtrace ? string.Empty : advice);
    }

    private static KernelFinding Seccomp(ProcessPrivileges privileges, bool works)
    {
        string value = privileges.SeccompMode switch { 0 => "off", 1 => "strict", _ => "filter" };
        bool isOk = works || privileges.SeccompMode == 0;
        return new("seccomp", value, isOk, IsRequired: false, isOk ? string.Empty : "The filter may deny userfaultfd: allow it in the container's seccomp profile.");
    }

    private static List<KernelFinding> FindFeatures(UserfaultfdFeatures offered)
    {
        List<KernelFinding> findings = [];
        UserfaultfdFeatures unknown = offered;
        foreach (FeatureRow row in FeatureRow.All)
        {
            findings.Add(row.Judge(offered));
            unknown &= ~row.Feature;
        }

        findings.Add(new("features without a name", unknown == 0 ? "none" : $"0x{(ulong)unknown:x}", IsOk: true, IsRequired: false, string.Empty));
        return findings;
    }
}
