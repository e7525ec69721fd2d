using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using Faultline.Linux.Children;

namespace Faultline.Linux;

/// <summary>What this machine can do, found by trying each thing: the facts behind <c>faultline doctor</c>.</summary>
public sealed class KernelProbe
{
    private KernelProbe(IReadOnlyList<KernelFinding> findings, EngineCapabilities capabilities)
    {
        Findings = findings;
        Capabilities = capabilities;
    }

    /// <summary>Every finding, in the order of a report.</summary>
    public IReadOnlyList<KernelFinding> Findings { get; }

    /// <summary>The same, as the engine reports it.</summary>
    public EngineCapabilities Capabilities { get; }

    /// <summary>Whether the main job can run: no required finding is wrong.</summary>
    public bool CanRunMainJob => Findings.All(finding => finding.IsOk || !finding.IsRequired);

    /// <summary>Looks at the machine. It takes some milliseconds and leaves nothing behind.</summary>
    public static KernelProbe Run() => OperatingSystem.IsLinux() ? RunOnLinux() : ReportOtherSystem();

    private static KernelProbe RunOnLinux()
    {
        using ChildFamily family = new();
        using HomeAddressSpace home = new(family);
        var privileges = ProcessPrivileges.Read();
        var userfaultfd = UserfaultfdFindings.Find(home, privileges);
        KernelFinding hugePages = MemoryFindings.HugePages();
        KernelFinding swap = MemoryFindings.Swap();
        KernelFinding scan = MemoryFindings.PagemapScan();
        KernelFinding limited = MemoryFindings.LimitedFiles();
        KernelFinding children = ChildAddressSpaces();
        List<KernelFinding> findings =
        [
            MemoryFindings.Kernel(),
            new("architecture", RuntimeInformation.ProcessArchitecture.ToString(), IsOk: true, IsRequired: false, string.Empty),
            .. userfaultfd.Doors,
            .. userfaultfd.Features,
            MemoryFindings.Memfd(),
            MemoryFindings.KernelAccess(home),
            scan,
            hugePages,
            MemoryFindings.Setting("transparent huge pages, anonymous", "/sys/kernel/mm/transparent_hugepage/enabled"),
            MemoryFindings.Setting("transparent huge pages, shmem", "/sys/kernel/mm/transparent_hugepage/shmem_enabled"),
            swap,
            limited,
            children,
        ];
        return new(
            findings,
            new()
            {
                Userfaultfd = userfaultfd.Any.ToCapability(),
                KernelFaults = userfaultfd.Full.ToCapability(),
                Features = userfaultfd.Offered,
                ManyAddressSpaces = children.ToCapability(),
                HugePages = hugePages.ToCapability(),
                Swap = swap.ToCapability(),
                PagemapScan = scan.ToCapability(),
                LimitedFiles = limited.ToCapability(),
            });
    }

    private static KernelFinding ChildAddressSpaces()
    {
        Capability capability = ChildNursery.Capability;
        return new("other address spaces", capability.IsAvailable ? "works" : "no", capability.IsAvailable, IsRequired: false, capability.Reason);
    }

    private static KernelProbe ReportOtherSystem()
    {
        KernelFinding system = new(
            "operating system",
            RuntimeInformation.OSDescription,
            IsOk: false,
            IsRequired: true,
            "userfaultfd is a Linux call: run on Linux 5.14 or later, or use the managed engine.");
        var no = system.ToCapability();
        return new(
            [system],
            new()
            {
                Userfaultfd = no,
                KernelFaults = no,
                Features = UserfaultfdFeatures.None,
                ManyAddressSpaces = no,
                HugePages = no,
                Swap = no,
                PagemapScan = no,
                LimitedFiles = no,
            });
    }
}
