using System;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Faultline.Bench;

/// <summary>A memory control group of its own, version 1 or 2; removed when it is disposed, after its processes have ended.</summary>
internal sealed class MemoryGroup : IDisposable
{
    private const string FirstRoot = "/sys/fs/cgroup/memory";
    private const string SecondRoot = "/sys/fs/cgroup";

    private readonly string _directory;

    private MemoryGroup(string directory, string version)
    {
        _directory = directory;
        Version = version;
    }

    /// <summary>"v1" or "v2".</summary>
    public string Version { get; }

    private bool IsFirst => Version == "v1";

    /// <summary>Makes a group with a limit; swap is not allowed beyond it, where that can be said.</summary>
    /// <param name="limitBytes">The limit.</param>
    /// <param name="reason">Why there is none, or null.</param>
    public static MemoryGroup? TryCreate(ulong limitBytes, out string? reason)
    {
        bool isFirst = File.Exists(Path.Combine(FirstRoot, "memory.limit_in_bytes"));
        string root = isFirst ? FirstRoot : SecondRoot;
        if (!isFirst && !HasSecond())
        {
            reason = "No memory controller is mounted at /sys/fs/cgroup/memory (v1), and the root of /sys/fs/cgroup (v2) does not give it to groups.";
            return null;
        }

        MemoryGroup group = new(Path.Combine(root, $"faultline-bench-{Environment.ProcessId}"), isFirst ? "v1" : "v2");
        try
        {
            Directory.CreateDirectory(group._directory);
            group.Write(isFirst ? "memory.limit_in_bytes" : "memory.max", limitBytes.ToString(CultureInfo.InvariantCulture));
            reason = null;
            return group;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            group.Dispose();
            reason = $"A memory control group could not be made under {root}: {refused.Message} This needs root.";
            return null;
        }
    }

    /// <summary>Puts a process into the group; what it touches from now on counts.</summary>
    public void Add(int processId) => Write("cgroup.procs", processId.ToString(CultureInfo.InvariantCulture));

    /// <summary>Forgets the largest use so far, where that can be done.</summary>
    public void ResetPeak()
    {
        try
        {
            Write(IsFirst ? "memory.max_usage_in_bytes" : "memory.peak", "0");
        }
        catch (IOException)
        {
            // v2 before Linux 6.12: the peak is that of all rounds so far.
        }
    }

    /// <summary>The largest use since then, in bytes; the page cache of the file, the process itself and its page tables.</summary>
    public long ReadPeak() =>
        long.Parse(File.ReadAllText(Path.Combine(_directory, IsFirst ? "memory.max_usage_in_bytes" : "memory.peak")), CultureInfo.InvariantCulture);

    public void Dispose()
    {
        try
        {
            if (Directory.Exists(_directory))
            {
                Directory.Delete(_directory);
            }
        }
        catch (IOException)
        {
            // A process is still ending in it. An empty group costs nothing, and the next run makes one of another name.
        }
    }

    private static bool HasSecond()
    {
        string control = Path.Combine(SecondRoot, "cgroup.subtree_control");
        return File.Exists(control) && File.ReadAllText(control).Split(' ', '\n').Contains("memory", StringComparer.Ordinal);
    }

    private void Write(string file, string value) => File.WriteAllText(Path.Combine(_directory, file), value);
}
