using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>One folder, several processes, some of which are killed: nobody reads a wrong byte, and the folder stays under its budget.</summary>
public sealed class SharedCacheTests : IDisposable
{
    private const int Processes = 3;
    private const int Killed = 4;

    private readonly TestFolder _folder = new();
    private readonly List<Process> _started = [];

    public void Dispose()
    {
        foreach (Process process in _started)
        {
            if (!process.HasExited)
            {
                process.Kill();
                process.WaitForExit();
            }

            process.Dispose();
        }

        _folder.Dispose();
    }

    [Fact(Timeout = 200_000)]
    public async Task Read_BySeveralProcesses_SomeKilled_StaysRightAndBounded()
    {
        List<Process> running = [];
        for (int i = 0; i < Processes; i++)
        {
            running.Add(await StartAsync(i));
        }

        var done = new TaskCompletionSource();
        Task<long> watching = WatchAsync(done.Task);
        var random = new Random(11);
        for (int i = 0; i < Killed; i++)
        {
            await Task.Delay(random.Next(50, 250));
            Process victim = running[0];
            running.RemoveAt(0);
            victim.Kill();
            await victim.WaitForExitAsync().WaitAsync(Reading.Deadline);
            running.Add(await StartAsync(Processes + i));
        }

        long[] sums = new long[4];
        foreach (Process process in running)
        {
            process.StandardInput.Close();
            string last = (await process.StandardOutput.ReadToEndAsync().WaitAsync(Reading.Deadline)).Trim();
            await process.WaitForExitAsync().WaitAsync(Reading.Deadline);
            Assert.Equal(0, process.ExitCode);
            Assert.StartsWith("done ", last, StringComparison.Ordinal);
            long[] numbers = [.. last.Split(' ')[1..].Select(static word => long.Parse(word, CultureInfo.InvariantCulture))];
            sums = [.. sums.Zip(numbers, static (sum, number) => sum + number)];
        }

        done.SetResult();
        Assert.InRange(await watching, CacheProgram.Budget / 4, CacheProgram.Budget);
        Assert.True(sums[0] > 0 && sums[1] > 0 && sums[2] > 0, $"hits {sums[0]}, written {sums[1]}, evicted {sums[2]}: all three were to be tried.");

        // A file that is renamed to its place is whole, whoever was killed: there was nothing damaged to find.
        Assert.Equal(0, sums[3]);
        await AssertAllBlocksAreRightAsync();
    }

    private async Task AssertAllBlocksAreRightAsync()
    {
        byte[] contents = Sample.Bytes(CacheProgram.ContentBytes);
        using var cache = new BlockCache(_folder.Path, new BlockCacheOptions { BudgetBytes = CacheProgram.Budget });
        var below = new FlakyStore(contents);
        using var store = new CachedPageStore(below, cache, CacheProgram.Identity);
        for (int offset = 0; offset < contents.Length; offset += CacheProgram.Block)
        {
            Reading.AssertSame(contents.AsMemory(offset, CacheProgram.Block), await store.BytesAsync((ulong)offset, CacheProgram.Block));
        }

        BlockCacheStatistics statistics = cache.GetStatistics();
        Assert.True(statistics.Hits > 0);
        Assert.Equal(0, statistics.Damaged);
    }

    private async Task<Process> StartAsync(int seed)
    {
        Process process = CacheProgram.Start(_folder.Path, seed);
        _started.Add(process);
        Assert.Equal(CacheProgram.Reading, await process.StandardOutput.ReadLineAsync().WaitAsync(Reading.Deadline));
        return process;
    }

    /// <summary>The most that files of blocks have taken, half-written ones included.</summary>
    private async Task<long> WatchAsync(Task done)
    {
        long most = 0;
        while (!done.IsCompleted)
        {
            most = Math.Max(most, BytesInFolderAtOnce());
            await Task.Delay(1);
        }

        return Math.Max(most, BytesInFolderAtOnce());
    }

    /// <summary>
    /// The sum while nobody makes or evicts a file, which is done under the lock between processes. A file that is renamed while the folder is listed may be
    /// listed twice, so it is summed up until two sums are the same.
    /// </summary>
    private long BytesInFolderAtOnce()
    {
        try
        {
            using FileStream held = new(_folder.File("lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            long bytes = BytesInFolder();
            for (long again = BytesInFolder(); again != bytes; again = BytesInFolder())
            {
                bytes = again;
            }

            return bytes;
        }
        catch (IOException)
        {
            // Another has it: the next look will do.
            return 0;
        }
    }

    private long BytesInFolder()
    {
        long bytes = 0;
        foreach (string folder in Directory.GetDirectories(_folder.Path))
        {
            foreach (FileInfo file in new DirectoryInfo(folder).EnumerateFiles())
            {
                try
                {
                    bytes += (file.Length + 4095) / 4096 * 4096;
                }
                catch (FileNotFoundException)
                {
                    // Evicted since it was listed.
                }
            }
        }

        return bytes;
    }
}
