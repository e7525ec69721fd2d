using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>A cache that is full, shared, damaged, or left behind by a crash.</summary>
public sealed class BlockCacheTests : IDisposable
{
    private const int Block = 64 << 10;

    private readonly TestFolder _folder = new();
    private readonly byte[] _contents = Sample.Bytes(8 << 20);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Read_ASecondTime_ComesFromTheCache_InAnotherProcessToo()
    {
        var below = new FlakyStore(_contents);
        using (var cache = new BlockCache(_folder.Path))
        using (var store = new CachedPageStore(below, cache, "a"))
        {
            Reading.AssertSame(_contents.AsMemory(5000, 300_000), await store.BytesAsync(5000, 300_000));
            Assert.Single(below.Reads);
            Reading.AssertSame(_contents.AsMemory(5000, 300_000), await store.BytesAsync(5000, 300_000));
            Assert.Single(below.Reads);
            await cache.FlushAsync();
        }

        // Another instance shares nothing with the first but the folder: as another process would.
        using var again = new BlockCache(_folder.Path);
        using var other = new CachedPageStore(below, again, "a");
        Reading.AssertSame(_contents.AsMemory(5000, 300_000), await other.BytesAsync(5000, 300_000));
        Assert.Single(below.Reads);
        Assert.Equal(5, again.GetStatistics().Hits);
    }

    [Fact]
    public async Task Read_OfAnotherVersion_DoesNotFindTheOld()
    {
        using var cache = new BlockCache(_folder.Path);
        using var before = new CachedPageStore(new FlakyStore(_contents), cache, "address\ntag 1");
        await before.BytesAsync(0, Block);
        byte[] changed = Sample.Bytes(8 << 20, 2);
        using var after = new CachedPageStore(new FlakyStore(changed), cache, "address\ntag 2");
        Reading.AssertSame(changed.AsMemory(0, Block), await after.BytesAsync(0, Block));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Keep_MoreThanTheBudget_StaysUnderIt(int instances)
    {
        const long Budget = 2 << 20;
        var options = new BlockCacheOptions { BudgetBytes = Budget };
        BlockCache[] caches = [.. Enumerable.Range(0, instances).Select(_ => new BlockCache(_folder.Path, options))];
        var done = new TaskCompletionSource();
        Task<long> watching = Task.Run(async () =>
        {
            long most = 0;
            while (!done.Task.IsCompleted)
            {
                most = Math.Max(most, FolderBytes());
                await Task.Delay(2);
            }

            return Math.Max(most, FolderBytes());
        });
        await Task.WhenAll(caches.Select((cache, instance) => Task.Run(async () =>
        {
            using var store = new CachedPageStore(new FlakyStore(_contents), cache, $"object {instance}");
            for (int i = 0; i < 128; i++)
            {
                int block = (i * 37) % 128;
                Reading.AssertSame(_contents.AsMemory(block * Block, Block), await store.BytesAsync((ulong)(block * Block), Block));
                await cache.FlushAsync();
            }
        })));
        done.SetResult();
        Assert.InRange(await watching, Budget / 4, Budget);
        Assert.True(caches.Sum(static cache => cache.GetStatistics().Evicted) > 0);
        Array.ForEach(caches, static cache => cache.Dispose());
    }

    [Fact]
    public async Task Evict_TakesWhatWasNotUsedLongest()
    {
        var options = new BlockCacheOptions { BudgetBytes = 1 << 20 };
        using var cache = new BlockCache(_folder.Path, options);
        var below = new FlakyStore(_contents);
        using var store = new CachedPageStore(below, cache, "a");
        for (int block = 0; block < 12; block++)
        {
            await store.BytesAsync((ulong)(block * Block), Block);
        }

        await cache.FlushAsync();
        FileInfo[] files = Blocks();
        Assert.Equal(12, files.Length);
        foreach (FileInfo file in files)
        {
            // All but block 3 were last used long ago.
            bool isKept = file.Name.EndsWith(".3", StringComparison.Ordinal);
            file.LastWriteTimeUtc = isKept ? file.LastWriteTimeUtc : new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        }

        for (int block = 12; block < 18; block++)
        {
            await store.BytesAsync((ulong)(block * Block), Block);
        }

        await cache.FlushAsync();
        Assert.Contains(Blocks(), static file => file.Name.EndsWith(".3", StringComparison.Ordinal));
        Assert.True(Blocks().Length < 16);
    }

    [Theory]
    [InlineData("flip")]
    [InlineData("cut")]
    [InlineData("empty")]
    [InlineData("zero")]
    [InlineData("swap")]
    public async Task Read_ADamagedBlock_ComesFromTheStore_AndIsKeptAnew(string damage)
    {
        using var cache = new BlockCache(_folder.Path);
        var below = new FlakyStore(_contents);
        using var store = new CachedPageStore(below, cache, "a");
        await store.BytesAsync(0, 2 * Block);
        await cache.FlushAsync();
        FileInfo[] files = Blocks();
        Assert.Equal(2, files.Length);
        byte[] bytes = await File.ReadAllBytesAsync(files[0].FullName);
        byte[] other = await File.ReadAllBytesAsync(files[1].FullName);
        bytes[1000] ^= (byte)(damage == "flip" ? 1 : 0);
        byte[] damaged = damage switch
        {
            "cut" => bytes[..^1],
            "empty" => [],
            "zero" => new byte[bytes.Length],
            "swap" => other,
            _ => bytes,
        };
        await File.WriteAllBytesAsync(files[0].FullName, damaged);
        below.ForgetReads();
        Reading.AssertSame(_contents.AsMemory(0, 2 * Block), await store.BytesAsync(0, 2 * Block));
        Assert.Single(below.Reads);
        Assert.Equal(1, cache.GetStatistics().Damaged);
        await cache.FlushAsync();
        Reading.AssertSame(_contents.AsMemory(0, 2 * Block), await store.BytesAsync(0, 2 * Block));
        Assert.Single(below.Reads);
    }

    [Fact]
    public async Task Open_AfterACrash_TakesAwayWhatWasHalfWritten_AndCountsAnew()
    {
        var options = new BlockCacheOptions { BudgetBytes = 1 << 20 };
        string folder = Directory.CreateDirectory(Path.Combine(_folder.Path, "00")).FullName;
        string left = Path.Combine(folder, "left.tmp");
        await File.WriteAllBytesAsync(left, new byte[600 << 10]);
        File.SetLastWriteTimeUtc(left, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        await File.WriteAllBytesAsync(Path.Combine(_folder.Path, "count"), [1, 2, 3]);
        using var cache = new BlockCache(_folder.Path, options);
        using var store = new CachedPageStore(new FlakyStore(_contents), cache, "a");
        for (int block = 0; block < 16; block++)
        {
            Reading.AssertSame(_contents.AsMemory(block * Block, Block), await store.BytesAsync((ulong)(block * Block), Block));
        }

        await cache.FlushAsync();
        Assert.False(File.Exists(left));
        Assert.InRange(FolderBytes(), 1, 1 << 20);
    }

    [Fact]
    public async Task Keep_OnAFullDisk_IsGivenUp_AndReadsGoOn()
    {
        Assert.SkipUnless(Environment.UserName == "root", "Only root can mount a small file system to fill.");
        string disk = Directory.CreateDirectory(_folder.File("disk")).FullName;
        Assert.Equal(0, await RunAsync("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk));
        try
        {
            using var cache = new BlockCache(disk);
            using var store = new CachedPageStore(new FlakyStore(_contents), cache, "a");
            for (int round = 0; round < 2; round++)
            {
                for (int block = 0; block < 64; block++)
                {
                    Reading.AssertSame(_contents.AsMemory(block * Block, Block), await store.BytesAsync((ulong)(block * Block), Block));
                    await cache.FlushAsync();
                }
            }

            BlockCacheStatistics statistics = cache.GetStatistics();
            Assert.True(statistics.NotWritten > 0 && statistics.Written > 0 && statistics.Hits > 0, statistics.ToString());
            Assert.Empty(Directory.GetFiles(disk, "*.tmp", SearchOption.AllDirectories));
        }
        finally
        {
            Assert.Equal(0, await RunAsync("umount", disk));
        }
    }

    private static async Task<int> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync().WaitAsync(Reading.Deadline);
        return process.ExitCode;
    }

    private FileInfo[] Blocks() =>
        [.. new DirectoryInfo(_folder.Path).GetDirectories()
            .SelectMany(static folder => folder.GetFiles())
            .OrderBy(static file => file.Name, StringComparer.Ordinal)];

    /// <summary>
    /// What the blocks and half-written blocks take, rounded up to what a disk gives, while nobody makes or evicts one: that is done under the lock. A file
    /// that is renamed while the folder is listed may be listed twice, so it is summed up until two sums are the same.
    /// </summary>
    private long FolderBytes()
    {
        try
        {
            using FileStream held = new(_folder.File("lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            long bytes = SumOfFolder();
            for (long again = SumOfFolder(); again != bytes; again = SumOfFolder())
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

    private long SumOfFolder()
    {
        long sum = 0;
        foreach (DirectoryInfo folder in new DirectoryInfo(_folder.Path).GetDirectories())
        {
            foreach (FileInfo file in folder.GetFiles())
            {
                try
                {
                    sum += (file.Length + 4095) / 4096 * 4096;
                }
                catch (FileNotFoundException)
                {
                    // Taken away or renamed meanwhile.
                }
            }
        }

        return sum;
    }
}
