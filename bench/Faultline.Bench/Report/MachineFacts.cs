using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Faultline.Bench;

/// <summary>The machine a run was made on.</summary>
public sealed record MachineFacts
{
    /// <summary>The kernel's release.</summary>
    public required string Kernel { get; init; }

    /// <summary>The processor's name.</summary>
    public required string Processor { get; init; }

    /// <summary>The CPUs this process may run on.</summary>
    public required IReadOnlyList<int> Cpus { get; init; }

    /// <summary>Whether the processor says that it is a virtual one; waking another CPU is slow there.</summary>
    public required bool IsVirtual { get; init; }

    /// <summary>The memory in bytes.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>The runtime.</summary>
    public required string Runtime { get; init; }

    /// <summary>Whether this program was compiled with optimisation; a debug build is measured wrong.</summary>
    public required bool IsOptimized { get; init; }

    /// <summary>The C compiler, or null.</summary>
    public string? Compiler { get; init; }

    /// <summary>The load average of the last minute when the run began: what others were doing.</summary>
    public required double LoadAtStart { get; init; }

    /// <summary>The machine in one sentence.</summary>
    internal string Sentence =>
        string.Create(CultureInfo.InvariantCulture, $"{Processor}, {Cpus.Count} {(Cpus.Count == 1 ? "CPU" : "CPUs")}{(IsVirtual ? " (virtual)" : string.Empty)}, Linux {Kernel}, {Runtime}{(Compiler is null ? string.Empty : ", " + Compiler)}.");

    /// <summary>Looks at the machine.</summary>
    /// <param name="compiler">The C compiler in use, or null.</param>
    public static MachineFacts Look(string? compiler = null)
    {
        string[] cpuInfo = Lines("/proc/cpuinfo");
        return new MachineFacts
        {
            Kernel = Lines("/proc/sys/kernel/osrelease").FirstOrDefault("unknown"),
            Processor = Field(cpuInfo, "model name") ?? RuntimeInformation.ProcessArchitecture.ToString(),
            Cpus = AllowedCpus(),
            IsVirtual = (Field(cpuInfo, "flags") ?? string.Empty).Split(' ').Contains("hypervisor", StringComparer.Ordinal),
            MemoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            Runtime = RuntimeInformation.FrameworkDescription,
            IsOptimized = Assembly.GetExecutingAssembly().GetCustomAttribute<DebuggableAttribute>() is not { IsJITOptimizerDisabled: true },
            Compiler = compiler,
            LoadAtStart = double.Parse(Lines("/proc/loadavg").FirstOrDefault("0").Split(' ')[0], CultureInfo.InvariantCulture),
        };
    }

    private static List<int> AllowedCpus()
    {
        string list = Field(Lines("/proc/self/status"), "Cpus_allowed_list") ?? "0";
        var cpus = new List<int>();
        foreach (string part in list.Split(','))
        {
            string[] ends = part.Split('-');
            int first = int.Parse(ends[0], CultureInfo.InvariantCulture);
            int last = int.Parse(ends[^1], CultureInfo.InvariantCulture);
            cpus.AddRange(Enumerable.Range(first, last - first + 1));
        }

        return cpus;
    }

    private static string? Field(IEnumerable<string> lines, string name) =>
        lines.Where(line => line.StartsWith(name, StringComparison.Ordinal))
            .Select(line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim())
            .FirstOrDefault();

    private static string[] Lines(string path) => File.Exists(path) ? File.ReadAllLines(path) : [];
}
