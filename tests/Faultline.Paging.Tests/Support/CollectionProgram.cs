using System;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Linux;

namespace Faultline.Paging.Tests;

/// <summary>
/// A second process that reads lazily paged memory in one of several ways, with or without a collection inside every load of the store: after the
/// fault was read, and before its page is installed. It is this test program, started with a variable set.
/// </summary>
internal static unsafe class CollectionProgram
{
    private const string Variable = "FAULTLINE_COLLECTION_PROGRAM";

    private const int ProgressPages = 500;

    private static IMemoryAccess? _accessor;

    /// <summary>What the process prints before its first collection.</summary>
    internal const string Collecting = "collecting";

    /// <summary>What the process prints after its first collection.</summary>
    internal const string Collected = "collected";

    /// <summary>Starts it; it prints <see cref="Collecting"/> and <see cref="Collected"/> around its first collection, its progress, and <c>done</c> at the end.</summary>
    internal static Process Start(ReadingWay way, bool collects, int pages)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardOutput = true, UseShellExecute = false };
        if (!Environment.ProcessPath!.EndsWith("Tests", StringComparison.Ordinal))
        {
            start.ArgumentList.Add(typeof(CollectionProgram).Assembly.Location);
        }

        start.Environment[Variable] = $"{way} {collects} {pages.ToString(CultureInfo.InvariantCulture)}";
        // It is killed in the end, and would leave its sockets for debuggers in the temporary folder.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
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
        using PagedMemory memory = pager.Map(new CollectingStore(new TestStore((ulong)pages * PageSize.Small), collects));
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

        Console.WriteLine($"done {pager.GetStatistics().StoreReads}");
    }

    private static ulong Read(PagedMemory memory, ulong offset, ReadingWay way)
    {
        switch (way)
        {
            case ReadingWay.PlainLoad:
                return PlainLoad((ulong*)(memory.Range.Start.Value + offset));
            case ReadingWay.LoopOfLoads:
                return LoopOfLoads((ulong*)(memory.Range.Start.Value + offset), count: 2);
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

    /// <summary>What registered memory must never be read with: the thread waits for its page where the runtime cannot stop it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static ulong PlainLoad(ulong* word) => *word;

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static ulong LoopOfLoads(ulong* words, int count)
    {
        ulong word = 0;
        for (int i = 0; i < count; i++)
        {
            word |= words[0];
        }

        return word;
    }

    /// <summary>A real fault, taken inside a system call.</summary>
    private static ulong FaultingAccess(PagedMemory memory, ulong offset)
    {
        _accessor ??= memory.Image.Table.Core.Engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor");
        return _accessor.Load(memory.Range.Start + offset, out ulong value).IsOk ? value : throw new InvalidOperationException("The access failed.");
    }

    private sealed class CollectingStore(IPageStore inner, bool collects) : IPageStore
    {
        private int _hasCollected;

        public ulong Length => inner.Length;

        public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
        {
            if (collects)
            {
                bool isFirst = Interlocked.Exchange(ref _hasCollected, 1) == 0;
                Say(isFirst, Collecting);
                GC.Collect(0);
                Say(isFirst, Collected);
            }

            return inner.ReadAsync(offset, target, cancellationToken);
        }

        public void Dispose() => inner.Dispose();

        private static void Say(bool isFirst, string word)
        {
            if (isFirst)
            {
                Console.WriteLine(word);
            }
        }
    }
}
