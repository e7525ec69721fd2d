using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Faultline.Bench;

/// <summary>The few native calls the benchmarks make beside the engine: placing threads, and touching pages from native code.</summary>
internal static unsafe class NativeSymbols
{
    private const int CpuSetBytes = 128;

    /// <summary>Pins the calling thread to one CPU.</summary>
    public static void PinCurrentThread(int cpu)
    {
        if (!TryPin(0, [cpu]))
        {
            throw new BenchmarkException($"The thread could not be pinned to CPU {cpu}.");
        }
    }

    /// <summary>Lets a thread run on some CPUs only (sched_setaffinity(2)); 0 is the calling thread. False if it is gone.</summary>
    public static bool TryPin(int threadId, IReadOnlyList<int> cpus)
    {
        var setAffinity = (delegate* unmanaged<int, nuint, byte*, int>)NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "sched_setaffinity");
        byte* set = stackalloc byte[CpuSetBytes];
        new Span<byte>(set, CpuSetBytes).Clear();
        foreach (int cpu in cpus)
        {
            set[cpu / 8] |= (byte)(1 << (cpu % 8));
        }

        return setAffinity(threadId, CpuSetBytes, set) == 0;
    }

    /// <summary>fcntl(2) with a number as its argument.</summary>
    public static int FileControl(int file, int command, int argument)
    {
        var control = (delegate* unmanaged<int, int, nint, int>)NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "fcntl");
        return control(file, command, argument);
    }

    /// <summary>Takes what the page cache has of a file out of it, if it is clean (posix_fadvise(3), POSIX_FADV_DONTNEED).</summary>
    public static void ForgetFile(int file)
    {
        const int DontNeed = 4;
        var advise = (delegate* unmanaged<int, nint, nint, int, int>)NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "posix_fadvise");
        int error = advise(file, 0, 0, DontNeed);
        if (error != 0)
        {
            throw new BenchmarkException($"The page cache of the file could not be dropped: {(Errno)error}.");
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
