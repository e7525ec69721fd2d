using System.IO;
using Faultline.Linux.Children;

namespace Faultline.Linux;

/// <summary>Finds out what the kernel can do by trying.</summary>
internal static unsafe class KernelCapabilities
{
    internal static EngineCapabilities Find()
    {
        using ChildFamily children = new();
        using HomeAddressSpace home = new(children);
        SystemResult<UserfaultfdFeatures> full = UserfaultfdHandshake.Probe(home, UserfaultfdOptions.CloseOnExec);
        if (!full.IsOk)
        {
            full = UserfaultfdHandshake.Probe(home, UserfaultfdOptions.CloseOnExec, UserfaultfdDoor.Device);
        }

        SystemResult<UserfaultfdFeatures> any = full.IsOk
            ? full
            : UserfaultfdHandshake.Probe(home, UserfaultfdOptions.CloseOnExec | UserfaultfdOptions.UserModeOnly);
        return new()
        {
            Userfaultfd = any.IsOk ? Capability.Yes : Capability.No($"userfaultfd(2) answers {any.Errno}: run on Linux 4.3 or later, and outside a seccomp filter that denies it."),
            KernelFaults = full.IsOk
                ? Capability.Yes
                : Capability.No("Kernel-mode faults need CAP_SYS_PTRACE, access to /dev/userfaultfd, or sysctl vm.unprivileged_userfaultfd=1."),
            Features = any.Value,
            ManyAddressSpaces = ChildNursery.Capability,
            HugePages = File.Exists("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages")
                && File.ReadAllText("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages").Trim() != "0"
                ? Capability.Yes
                : Capability.No("No 2 MiB page is free: write a number to /proc/sys/vm/nr_hugepages."),
            Swap = File.Exists("/proc/swaps") && File.ReadAllLines("/proc/swaps").Length > 1
                ? Capability.Yes
                : Capability.No("No swap is on: add some with swapon(8)."),
            PagemapScan = HasPagemapScan() ? Capability.Yes : Capability.No("PAGEMAP_SCAN needs Linux 6.7 or later."),
            LimitedFiles = HasLimitedFiles() ? Capability.Yes : Capability.No("A tmpfs with a limit needs CAP_SYS_ADMIN and Linux 5.2 or later."),
        };
    }

    private static bool HasPagemapScan()
    {
        using LinuxInspector inspector = new(System.Environment.ProcessId);
        PagemapScanRequest request = new() { Range = new(new(PageSize.Small), PageSize.Small), Return = PageCategories.Present, Mask = PageCategories.Present };
        return inspector.Scan(in request, new PageRegion[1]).IsOk;
    }

    private static bool HasLimitedFiles()
    {
        SystemResult<IMemoryFile> file = MemoryFileFactory.Create(new() { Name = "probe", LimitBytes = PageSize.Small });
        if (file.IsOk)
        {
            file.Value.Dispose();
        }

        return file.IsOk;
    }
}
