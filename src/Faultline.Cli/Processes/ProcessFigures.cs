using System;
using System.Globalization;
using System.IO;

namespace Faultline.Cli.Processes;

/// <summary>What a process holds, from <c>/proc/pid/smaps_rollup</c>. Amounts are in bytes; zero for a process that is gone.</summary>
internal readonly record struct ProcessFigures(long RssBytes, long PssBytes)
{
    public static ProcessFigures Of(int processId)
    {
        try
        {
            long rss = 0;
            long pss = 0;
            foreach (string line in File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/smaps_rollup")))
            {
                rss += BytesAfter(line, "Rss:");
                pss += BytesAfter(line, "Pss:");
            }

            return new ProcessFigures(rss, pss);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    /// <summary>PSS of the mappings of memory files whose name contains <paramref name="name"/>, in the calling process.</summary>
    public static long PssOfMemoryFile(string name)
    {
        long pss = 0;
        bool isInside = false;
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            bool isHeader = space > 0 && line[space - 1] != ':';
            if (isHeader)
            {
                isInside = line.Contains("memfd:", StringComparison.Ordinal) && line.Contains(name, StringComparison.Ordinal);
            }
            else if (isInside)
            {
                pss += BytesAfter(line, "Pss:");
            }
        }

        return pss;
    }

    /// <summary>The page faults the calling thread has taken, minor and major (proc(5): fields 10 and 12 of <c>stat</c>).</summary>
    public static long FaultsOfThisThread()
    {
        string stat = File.ReadAllText("/proc/thread-self/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        const int Minor = 7;
        const int Major = 9;
        return long.Parse(fields[Minor], CultureInfo.InvariantCulture) + long.Parse(fields[Major], CultureInfo.InvariantCulture);
    }

    /// <summary>The memory that can be had without swapping (<c>MemAvailable</c>).</summary>
    public static long AvailableBytes()
    {
        if (!OperatingSystem.IsLinux())
        {
            return GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        }

        foreach (string line in File.ReadLines("/proc/meminfo"))
        {
            long bytes = BytesAfter(line, "MemAvailable:");
            if (bytes > 0)
            {
                return bytes;
            }
        }

        return long.MaxValue;
    }

    private static long BytesAfter(string line, string label)
    {
        if (!line.StartsWith(label, StringComparison.Ordinal))
        {
            return 0;
        }

        ReadOnlySpan<char> number = line.AsSpan(label.Length).Trim();
        number = number.EndsWith("kB", StringComparison.Ordinal) ? number[..^2].Trim() : number;
        return long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out long kib) ? kib * 1024 : 0;
    }
}
