using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>Memory of this program: leases, reading and writing.</summary>
public abstract class LeaseTests(IMemoryEngine engine) : PagerTests(engine)
{
    [Theory(Timeout = 200_000)]
    [InlineData(PagedMapping.Private)]
    [InlineData(PagedMapping.Shared)]
    public async Task Lease_AnyRange_ShowsTheStore(PagedMapping sharing)
    {
        await Task.Yield();
        TestStore store = new(1000 * Page) { IsZeroPage = page => page % 3 == 0 };
        Pager pager = NewPager();
        PagedMemory memory = Own(pager.Map(store, sharing));
        Random random = new(11);
        for (int round = 0; round < 200; round++)
        {
            ulong offset = (ulong)random.Next((int)store.Length / 8) * 8;
            int length = random.Next(1, (int)Math.Min(40 * Page, store.Length - offset));
            using Lease lease = memory.Lease(offset, length);
            Assert.Equal(length, lease.Bytes.Length);
            for (int i = 0; i + 8 <= length; i += 8 * 61)
            {
                Assert.Equal(store.Expected(offset + (ulong)i), BitConverter.ToUInt64(lease.Bytes[i..]));
            }
        }

        // Everything was brought and installed before it was touched.
        Assert.Equal(0, memory.Client.GetStatistics().Faults);
        Assert.Equal(1, store.MostReads());
    }

    [Fact(Timeout = 200_000)]
    public async Task Lease_LockedMemory_CannotBePagedOut()
    {
        await Task.Yield();
        Pager pager = NewPager();
        PagedMemory memory = Own(pager.Map(new TestStore(64 * Page)));
        Assert.SkipUnless(memory.IsLocked, "This process may not lock memory: raise RLIMIT_MEMLOCK or run with CAP_IPC_LOCK.");
        using Lease lease = memory.Lease(0, 16 * (int)Page);
        Assert.Equal(Errno.EINVAL, pager.Engine.Home.Advise(memory.Range, Advice.PageOut).Errno);
        var entries = new PagemapEntry[64];
        pager.Engine.Home.Inspector.ReadPagemap(memory.Range.Start, entries);

        // Locking brings nothing: only what was installed is there.
        Assert.True(entries[15].IsPresent);
        Assert.False(entries[63].IsPresent);
    }

    [Fact(Timeout = 200_000)]
    public async Task Lease_ForWriting_KeepsWhatIsWritten()
    {
        await Task.Yield();
        TestStore store = new(64 * Page);
        Pager pager = NewPager();
        PagedImage image = pager.OpenImage(store);
        PagedMemory memory = Own(pager.Map(image));
        PagedMemory clone = Own(pager.Map(image));
        using (Lease lease = memory.Lease(100, 20_000, LeaseAccess.Write))
        {
            lease.Span.Fill(7);
        }

        byte[] read = new byte[20_002];
        memory.Read(99, read);
        Assert.Equal(7, read[1]);
        Assert.Equal(7, read[20_000]);
        Assert.NotEqual(7, read[20_001]);
        clone.Read(104, read.AsSpan(0, 8));
        Assert.Equal(store.Expected(104), BitConverter.ToUInt64(read));
    }

    [Fact(Timeout = 200_000)]
    public async Task Lease_ForReading_RefusesTheWritableSpan()
    {
        await Task.Yield();
        Pager pager = NewPager();
        PagedMemory memory = Own(pager.Map(new TestStore(4 * Page)));
        Assert.Throws<InvalidOperationException>(() =>
        {
            using Lease lease = memory.Lease(0, 8);
            return lease.Span.Length;
        });
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Lease(4 * Page, 1).Dispose());
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Lease((4 * Page) - 8, 9).Dispose());
    }

    [Fact(Timeout = 200_000)]
    public async Task Write_ThenRead_ReturnsBytes()
    {
        await Task.Yield();
        TestStore store = new(600 * Page);
        Pager pager = NewPager();
        PagedMemory memory = Own(pager.Map(store));
        byte[] written = new byte[(300 * Page) + 17];
        new Random(3).NextBytes(written);
        memory.Write(5001, written);
        byte[] read = new byte[written.Length + 8];
        memory.Read(5001 - 1, read);
        Assert.Equal(written, read[1..^7]);
    }

    [Fact(Timeout = 200_000)]
    public async Task Lease_OutlivesDisposeOfMemoryAndPager()
    {
        await Task.Yield();
        TestStore store = new(64 * Page);
        Pager pager = NewPager();
        PagedMemory memory = pager.Map(store);
        ReadThroughDispose(pager, memory, store);
        Assert.Throws<ObjectDisposedException>(() => memory.Lease(0, 8).Dispose());
    }

    [Fact(Timeout = 200_000)]
    public async Task Lease_ManyThreads_EachPageIsReadOnce()
    {
        TestStore store = new(2000 * Page) { AnswersLater = true };
        Pager pager = NewPager();
        PagedMemory memory = Own(pager.Map(store));
        var readers = new Task[4];
        for (int i = 0; i < readers.Length; i++)
        {
            int seed = i;
            readers[i] = Task.Run(() => ReadAround(memory, store, new Random(seed)), TestContext.Current.CancellationToken);
        }

        await Task.WhenAll(readers).WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.Equal(1, store.MostReads());
    }

    private static void ReadAround(PagedMemory memory, TestStore store, Random random)
    {
        for (int round = 0; round < 300; round++)
        {
            ulong offset = (ulong)random.Next(1960) * Page;
            using Lease lease = memory.Lease(offset, (int)(random.Next(1, 40) * (int)Page));
            Assert.Equal(store.Expected(offset), BitConverter.ToUInt64(lease.Bytes));
        }
    }

    private static void ReadThroughDispose(Pager pager, PagedMemory memory, TestStore store)
    {
        using Lease lease = memory.Lease(3 * Page, (int)(5 * Page));
        memory.Dispose();
        Assert.Equal(store.Expected(3 * Page), BitConverter.ToUInt64(lease.Bytes));
        long begun = Stopwatch.GetTimestamp();
        pager.Dispose();
        Assert.True(Stopwatch.GetElapsedTime(begun) < Deadline);
        for (ulong page = 0; page < 5; page++)
        {
            Assert.Equal(store.Expected((3 + page) * Page), BitConverter.ToUInt64(lease.Bytes[(int)(page * Page)..]));
        }

        Thread.MemoryBarrier();
    }
}
