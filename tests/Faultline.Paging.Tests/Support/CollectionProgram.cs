using System;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Threading;
using Faultline.Linux;

namespace Faultline.Paging.Tests;

/// <summary>
/// A second process that reads lazily paged memory in one of several ways, while another thread collects garbage again and again, or not. It is
/// this test program, started with a variable set.
/// </summary>
internal static unsafe class CollectionProgram
{
    private const string Variable = "FAULTLINE_COLLECTION_PROGRAM";

    private const int ProgressPages = 500;

    private static volatile bool _stop;
    private static IMemoryAccess? _accessor;

    /// <summary>Starts it; it prints <c>begun</c>, its progress, and <c>done</c> and a number of faults when it is through.</summary>
    internal static Process Start(ReadingWay way, bool collects, int pages)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardOutput = true, UseShellExecute = false };
        if (!Environment.ProcessPath!.EndsWith("Tests", StringComparison.Ordinal))
        {
            start.ArgumentList.Add(typeof(CollectionProgram).Assembly.Location);
        }

        start.Environment[Variable] = $"{way} {collects} {pages.ToString(CultureInfo.InvariantCulture)}";
        return Process.Start(start)!;
    }

    /// <summary>Runs, if this process was started for it.</summary>
    internal static bool TryRun()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } words)
        {
            return false;
        }

        string[] arguments = words.Split(' ');
        Run(Enum.Parse<ReadingWay>(arguments[0]), bool.Parse(arguments[1]), int.Parse(arguments[2], CultureInfo.InvariantCulture));
        return true;
    }

    private static void Run(ReadingWay way, bool collects, int pages)
    {
        using LinuxEngine engine = new();
        PagerOptions options = new()
        {
            LoadBytes = 4096,
            NeighbourPages = 1,
            SequentialWindowBytes = 4096,
            BudgetBytes = 16 << 20,
            LoadDeadline = TimeSpan.FromMinutes(5),
        };
        using Pager pager = new(engine, options);
        using PagedMemory memory = pager.Map(new TestStore((ulong)pages * PageSize.Small));
        Thread collector = new(CollectAgainAndAgain) { IsBackground = true };
        Console.WriteLine("begun");
        if (collects)
        {
            collector.Start();
            SpinWait.SpinUntil(static () => GC.CollectionCount(0) > 2);
        }

        for (int page = 0; page < pages; page++)
        {
            ulong offset = (ulong)page * PageSize.Small;
            if (Read(memory, offset, way) != TestStore.WordAt(offset))
            {
                throw new InvalidOperationException($"Page {page} reads wrong.");
            }

            if (page % ProgressPages == 0)
            {
                Console.WriteLine($"page {page}");
            }
        }

        _stop = true;
        Console.WriteLine($"done {pager.GetStatistics().StoreReads}");
    }

    private static ulong Read(PagedMemory memory, ulong offset, ReadingWay way)
    {
        switch (way)
        {
            case ReadingWay.PlainLoad:
                return PlainLoad(memory.Range.Start.Value + offset);
            case ReadingWay.Lease:
                using (Lease lease = memory.Lease(offset, 8))
                {
                    return BitConverter.ToUInt64(lease.Bytes);
                }

            case ReadingWay.Access:
                Span<byte> word = stackalloc byte[8];
                memory.Read(offset, word);
                return BitConverter.ToUInt64(word);
            default:
                return FaultingAccess(memory, offset);
        }
    }

    /// <summary>What registered memory must never be read with: the thread waits for its page in managed code.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong PlainLoad(ulong address) => *(ulong*)address;

    /// <summary>A real fault, taken inside a system call.</summary>
    private static ulong FaultingAccess(PagedMemory memory, ulong offset)
    {
        _accessor ??= memory.Image.Table.Core.Engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor");
        return _accessor.Load(memory.Range.Start + offset, out ulong value).IsOk ? value : throw new InvalidOperationException("The access failed.");
    }

    private static void CollectAgainAndAgain()
    {
        // On an idle virtual machine a thread that a collection stopped needs tens of microseconds to run again. Collections
        // without a gap would end one only to begin the next, and starve every other thread: that would show nothing.
        var gap = TimeSpan.FromMicroseconds(250);
        while (!_stop)
        {
            GC.Collect();
            long end = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(end) < gap)
            {
                Thread.SpinWait(20);
            }
        }
    }
}
