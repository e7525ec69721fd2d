using System;
using System.Runtime.InteropServices;

namespace Faultline.Bench;

/// <summary>The few native calls the benchmarks make beside the engine: placing a thread, and touching pages from native code.</summary>
internal static unsafe class NativeSymbols
{
    private const int CpuSetBytes = 128;

    /// <summary>Pins the calling thread to one CPU (sched_setaffinity(2)).</summary>
    public static void PinCurrentThread(int cpu)
    {
        if (cpu is < 0 or >= CpuSetBytes * 8)
        {
            throw new ArgumentOutOfRangeException(nameof(cpu), cpu, "There is no such CPU.");
        }

        var setAffinity = (delegate* unmanaged<int, nuint, byte*, int>)NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "sched_setaffinity");
        byte* cpus = stackalloc byte[CpuSetBytes];
        new Span<byte>(cpus, CpuSetBytes).Clear();
        cpus[cpu / 8] = (byte)(1 << (cpu % 8));
        if (setAffinity(0, CpuSetBytes, cpus) != 0)
        {
            throw new BenchmarkException($"The thread could not be pinned to CPU {cpu}.");
        }
    }

    /// <summary>Touches pages one by one, each in a native call of its own (memchr(3)), so that the runtime never waits for the thread.</summary>
    public static void TouchPages(VirtualAddress start, int pages)
    {
        var find = (delegate* unmanaged<byte*, int, nuint, byte*>)NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "memchr");
        byte* first = (byte*)start.Value;
        for (int page = 0; page < pages; page++)
        {
            find(first + ((nuint)page * (nuint)PageSize.Small), 0, 1);
        }
    }
}
