using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Faultline.Bench;

/// <summary>
/// Puts every thread of this process on one CPU, those of the runtime included, and takes them back when disposed: what taskset(1) does.
/// A thread that is made in between follows the first thread of the process.
/// </summary>
internal sealed class ProcessPinning : IDisposable
{
    private readonly IReadOnlyList<int> _allCpus;

    /// <summary>Pins the process.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="allCpus">The CPUs to go back to.</param>
    public ProcessPinning(int cpu, IReadOnlyList<int> allCpus)
    {
        _allCpus = allCpus;
        Pin([cpu]);
    }

    /// <summary>Takes the threads back.</summary>
    public void Dispose() => Pin(_allCpus);

    private static void Pin(IReadOnlyList<int> cpus)
    {
        foreach (int thread in Directory.EnumerateDirectories("/proc/self/task").Select(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture)))
        {
            NativeSymbols.TryPin(thread, cpus);
        }
    }
}
