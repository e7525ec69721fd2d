using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;

namespace Faultline.Paging.Tests;

/// <summary>What this process has that a test could leave behind: descriptors by what they are, threads of ours, children, frames of the managed engine.
/// </summary>
internal sealed partial class Leftovers
{
    private readonly SortedDictionary<string, int> _counts = [];

    public static Leftovers Count(IMemoryEngine engine)
    {
        Leftovers now = new();
        if (engine is Faultline.Mm.ManagedEngine managed)
        {
            now.Add("frame", (int)managed.FramesInUse);
        }

        if (!OperatingSystem.IsLinux())
        {
            return now;
        }

        foreach (string file in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            try
            {
                string target = new FileInfo(file).LinkTarget ?? string.Empty;
                if (target.Contains("userfaultfd", StringComparison.Ordinal) || target.Contains("memfd", StringComparison.Ordinal) ||
                    target.Contains("eventpoll", StringComparison.Ordinal) || target.Contains("faultline", StringComparison.Ordinal))
                {
                    now.Add($"descriptor of {Numbers().Replace(target, "N")}", 1);
                }
            }
            catch (IOException)
            {
                // The descriptor of this very listing.
            }
        }

        foreach (string task in Directory.EnumerateDirectories("/proc/self/task"))
        {
            try
            {
                string name = File.ReadAllText($"{task}/comm").Trim();
                if (name.StartsWith("faultline", StringComparison.Ordinal))
                {
                    now.Add($"thread {name}", 1);
                }

                int children = File.ReadAllText($"{task}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
                if (children != 0)
                {
                    now.Add("child process", children);
                }
            }
            catch (IOException)
            {
                // It has ended.
            }
        }

        return now;
    }

    /// <summary>What there is more of than there was; empty if nothing.</summary>
    public string Beyond(Leftovers before) => string.Join(
        ", ",
        _counts.Where(pair => pair.Value > before._counts.GetValueOrDefault(pair.Key))
            .Select(pair => $"{pair.Value - before._counts.GetValueOrDefault(pair.Key)} × {pair.Key}"));

    private void Add(string what, int count) => _counts[what] = _counts.GetValueOrDefault(what) + count;

    [GeneratedRegex("[0-9]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Numbers();
}
