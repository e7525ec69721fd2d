using System;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Faultline.Linux;

/// <summary>The part of the probe that looks at files, pages and the machine's settings.</summary>
internal static unsafe class MemoryFindings
{
    private const string HugePagesPath = "/sys/kernel/mm/hugepages/hugepages-2048kB/";

    internal static KernelFinding Kernel()
    {
        string release = ReadText("/proc/sys/kernel/osrelease", "unknown");
        string[] parts = release.Split('.', '-');
        bool isOk = parts.Length >= 2
            && int.TryParse(parts[0], CultureInfo.InvariantCulture, out int major)
            && int.TryParse(parts[1], CultureInfo.InvariantCulture, out int minor)
            && (major > 5 || (major == 5 && minor >= 14));
        return new("kernel", $"Linux {release}", isOk, IsRequired: true, isOk ? string.Empty : "Minor faults on shmem came with Linux 5.14: run a later kernel.");
    }

    internal static KernelFinding Memfd()
    {
        SystemResult<IMemoryFile> created = MemoryFileFactory.Create(new() { Name = "probe", Size = PageSize.Small });
        Errno errno = created.Errno;
        if (created.IsOk)
        {
            errno = created.Value.AddSeals(FileSeals.Shrink).Errno;
            created.Value.Dispose();
        }

        bool isOk = errno == Errno.None;
        return new("memfd with seals", isOk ? "works" : $"{errno}", isOk, IsRequired: true, isOk ? string.Empty : "memfd_create needs Linux 3.17 or later, and a seccomp filter that allows it.");
    }

    internal static KernelFinding KernelAccess(LinuxAddressSpace home)
    {
        AccessFault fault = AccessFault.BadAddress;
        SystemResult<IMemoryAccess> access = home.OpenAccess(AccessMode.Kernel);
        if (access.IsOk)
        {
            ulong probe = 1;
            fault = access.Value.Load(new((ulong)&probe), out _).Fault;
            access.Value.Dispose();
        }

        bool isOk = fault == AccessFault.None;
        return new("process_vm_readv on itself", isOk ? "works" : $"{fault}", isOk, IsRequired: true, isOk ? string.Empty : "Memory that may fault is read by this call: allow it in the seccomp filter.");
    }

    internal static KernelFinding PagemapScan()
    {
        using LinuxInspector inspector = new(Environment.ProcessId);
        PagemapScanRequest request = new() { Range = new(new(PageSize.Small), PageSize.Small), Mask = PageCategories.Present, Return = PageCategories.Present };
        PagemapScanResult result = inspector.Scan(in request, new PageRegion[1]);
        return new("PAGEMAP_SCAN", result.IsOk ? "works" : $"{result.Errno}", result.IsOk, IsRequired: false, result.IsOk ? string.Empty : "Dirty tracking without a handler needs it: run Linux 6.7 or later.");
    }

    internal static KernelFinding HugePages()
    {
        string free = ReadText(HugePagesPath + "free_hugepages", "0");
        string all = ReadText(HugePagesPath + "nr_hugepages", "0");
        bool isOk = free != "0";
        return new("huge pages of 2 MiB", $"{free} free of {all}", isOk, IsRequired: false, isOk ? string.Empty : "Hugetlb memory needs pages in the pool: write their number to /proc/sys/vm/nr_hugepages.");
    }

    internal static KernelFinding Swap()
    {
        int areas = File.Exists("/proc/swaps") ? Math.Max(0, File.ReadLines("/proc/swaps").Count() - 1) : 0;
        return new("swap", areas == 0 ? "none" : $"{areas} areas", areas > 0, IsRequired: false, areas > 0 ? string.Empty : "Pages cannot be swapped out: add an area with mkswap(8) and swapon(8).");
    }

    internal static KernelFinding LimitedFiles()
    {
        SystemResult<IMemoryFile> created = MemoryFileFactory.Create(new() { Name = "probe", LimitBytes = PageSize.Small });
        if (created.IsOk)
        {
            created.Value.Dispose();
        }

        return new("tmpfs with a limit", created.IsOk ? "works" : $"{created.Errno}", created.IsOk, IsRequired: false, created.IsOk ? string.Empty : "Files with a limit need CAP_SYS_ADMIN and Linux 5.2 or later.");
    }

    /// <summary>A setting that is right whatever it says.</summary>
    internal static KernelFinding Setting(string name, string path)
    {
        string text = ReadText(path, "absent");
        int open = text.IndexOf('[', StringComparison.Ordinal);
        int close = text.IndexOf(']', StringComparison.Ordinal);
        return new(name, open >= 0 && close > open ? text[(open + 1)..close] : text, IsOk: true, IsRequired: false, string.Empty);
    }

    private static string ReadText(string path, string otherwise)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return otherwise;
        }
    }
}
