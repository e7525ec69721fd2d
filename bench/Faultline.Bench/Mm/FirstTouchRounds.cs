using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Bench;

/// <summary>
/// The first store to each page of anonymous memory, by one thread or by two in areas of their own. After each round the pages are given back and
/// the tables stay, so the frames of the next round were used before.
/// </summary>
internal sealed class FirstTouchRounds : IDisposable
{
    /// <summary>The pages each thread touches.</summary>
    public const int Pages = 16_384;

    private const ulong Length = Pages * PageSize.Small;

    private readonly IMemoryEngine _engine;
    private readonly bool _isMemoryOfProcess;
    private readonly AddressRange[] _areas;

    /// <summary>Maps the areas.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="isMemoryOfProcess">Whether its addresses are those of this process: the threads then store directly.</param>
    public FirstTouchRounds(IMemoryEngine engine, bool isMemoryOfProcess)
    {
        _engine = engine;
        _isMemoryOfProcess = isMemoryOfProcess;
        _areas = [Map(), Map()];
    }

    /// <summary>A row with a thread on each of some CPUs, at most two; its time is from the first start to the last end.</summary>
    public Row On(params int[] cpus) => new(Pages, _ => Task.FromResult(Run(cpus)));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (AddressRange area in _areas)
        {
            _engine.Home.Unmap(area).OrThrow("munmap", area);
        }
    }

    private AddressRange Map()
    {
        var area = new AddressRange(_engine.Home.Map(MapRequest.PrivateAnonymous(Length)).OrThrow("mmap"), Length);
        SystemResult advised = _engine.Home.Advise(area, Advice.NoHugePage);
        return advised.IsOk || advised.Errno == Errno.EINVAL ? area : throw new MemoryEngineException("madvise", area, advised.Errno);
    }

    private RoundResult Run(int[] cpus)
    {
        // Nobody starts before all are there; nobody sleeps meanwhile, because waking takes as long as many faults.
        int missing = cpus.Length;
        long begin = long.MaxValue;
        long end = 0;
        string? failure = null;
        var threads = new Thread[cpus.Length];
        for (int i = 0; i < cpus.Length; i++)
        {
            int cpu = cpus[i];
            AddressRange area = _areas[i];
            threads[i] = new Thread(() =>
            {
                NativeSymbols.PinCurrentThread(cpu);
                using IMemoryAccess? access = _isMemoryOfProcess ? null : _engine.Home.OpenAccess().OrThrow("opening an accessor");
                Interlocked.Decrement(ref missing);
                AwaitAll(ref missing);
                long began = Stopwatch.GetTimestamp();
                bool isDone = access is null ? TouchDirectly(area) : Touch(access, area);
                Latest(ref end, Stopwatch.GetTimestamp());
                Earliest(ref begin, began);
                failure = isDone ? failure : "A store to fresh memory failed.";
            });
            threads[i].Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        for (int i = 0; i < cpus.Length; i++)
        {
            _engine.Home.Advise(_areas[i], Advice.DontNeed).OrThrow("madvise", _areas[i]);
        }

        return failure is null
            ? new RoundResult((long)Stopwatch.GetElapsedTime(begin, end).TotalNanoseconds, 0, 0)
            : throw new BenchmarkException(failure);
    }

    // SpinWait.SpinUntil would sleep for a millisecond, which is many faults.
    private static void AwaitAll(ref int missing)
    {
        while (Volatile.Read(ref missing) != 0)
        {
            Thread.Yield();
        }
    }

    private static bool Touch(IMemoryAccess access, AddressRange area)
    {
        bool isDone = true;
        for (ulong offset = 0; offset < area.Length; offset += PageSize.Small)
        {
            isDone &= access.Store(area.Start + offset, offset).IsOk;
        }

        return isDone;
    }

    // The memory is registered with nobody: the kernel answers the fault, and the collector may wait for the thread.
    private static unsafe bool TouchDirectly(AddressRange area)
    {
        byte* start = (byte*)area.Start.Value;
        for (ulong offset = 0; offset < area.Length; offset += PageSize.Small)
        {
            Volatile.Write(ref *(ulong*)(start + offset), offset);
        }

        return true;
    }

    private static void Latest(ref long end, long now)
    {
        long seen = Volatile.Read(ref end);
        while (now > seen && Interlocked.CompareExchange(ref end, now, seen) != seen)
        {
            seen = Volatile.Read(ref end);
        }
    }

    private static void Earliest(ref long begin, long now)
    {
        long seen = Volatile.Read(ref begin);
        while (now < seen && Interlocked.CompareExchange(ref begin, now, seen) != seen)
        {
            seen = Volatile.Read(ref begin);
        }
    }
}
