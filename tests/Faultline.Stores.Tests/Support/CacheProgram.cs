using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Stores.Tests;

/// <summary>
/// A second process that reads through a cache it shares with others, in an order of its own, and compares every byte. It is this test program, started
/// with a variable set. It reads until its input ends and it has read from the cache, written to it and evicted, and then says what the cache did.
/// </summary>
internal static class CacheProgram
{
    /// <summary>The budget of the cache all processes share.</summary>
    public const long Budget = 2 << 20;

    /// <summary>What is read: four times the budget.</summary>
    public const int ContentBytes = 8 << 20;

    public const int Block = 64 << 10;

    /// <summary>What the cache knows the contents by, in every process.</summary>
    public const string Identity = "what all processes read";

    /// <summary>Printed when the first blocks have been read.</summary>
    public const string Reading = "reading";

    private const string Variable = "FAULTLINE_CACHE_PROGRAM";

    /// <summary>Starts it.</summary>
    public static Process Start(string folder, int seed)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        if (!Environment.ProcessPath!.EndsWith("Tests", StringComparison.Ordinal))
        {
            start.ArgumentList.Add(typeof(CacheProgram).Assembly.Location);
        }

        start.Environment[Variable] = $"{seed.ToString(CultureInfo.InvariantCulture)} {folder}";
        // It is killed in the end, and would leave its sockets for debuggers in the temporary folder.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return Process.Start(start)!;
    }

    /// <summary>Runs, if this process was started for it.</summary>
    public static async Task<bool> TryRunAsync()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } words)
        {
            return false;
        }

        int space = words.IndexOf(' ', StringComparison.Ordinal);
        await RunAsync(words[(space + 1)..], int.Parse(words.AsSpan(0, space), CultureInfo.InvariantCulture));
        return true;
    }

    private static bool HasTriedEverything(BlockCache cache) => cache.GetStatistics() is { Hits: > 0, Written: > 0, Evicted: > 0 };

    private static async Task RunAsync(string folder, int seed)
    {
        byte[] contents = Sample.Bytes(ContentBytes);
        using var cache = new BlockCache(folder, new BlockCacheOptions { BudgetBytes = Budget });
        using var store = new CachedPageStore(new FlakyStore(contents), cache, Identity);
        var random = new Random(seed);

        // The console's own asynchronous reads wait.
        Task<string> ended = Task.Run(Console.In.ReadToEnd);
        for (int round = 0; !ended.IsCompleted || !HasTriedEverything(cache); round++)
        {
            // Half of the reads are of an eighth of the blocks, so that there is something to be found.
            int blocks = ContentBytes / Block / (round % 2 == 0 ? 1 : 8);
            int offset = (random.Next(blocks) * Block) + random.Next(Block / 2);
            int length = random.Next(1, Math.Min(3 * Block, ContentBytes - offset));
            byte[] read = new byte[length];
            _ = (await store.ReadAsync((ulong)offset, read, CancellationToken.None)).Cause is { } cause ? throw cause : 0;
            if (!read.AsSpan().SequenceEqual(contents.AsSpan(offset, length)))
            {
                throw new InvalidDataException($"{length} bytes from {offset} on are not what the store has.");
            }

            if (round == 20)
            {
                Console.WriteLine(Reading);
            }

            if (round % 4 == 0)
            {
                // Others are to get a turn on the processor, and to start.
                await Task.Delay(1);
            }
        }

        BlockCacheStatistics statistics = cache.GetStatistics();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"done {statistics.Hits} {statistics.Written} {statistics.Evicted} {statistics.Damaged}"));
    }
}
