using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>What an operator reads.</summary>
public abstract class MessagesTests(IMemoryEngine engine) : PagerTests(engine)
{
    [Fact(Timeout = 200_000)]
    public async Task Log_LifeOfAClient_IsTold()
    {
        await Task.Yield();
        using MessageList messages = new();
        Pager pager = NewPager(new PagerOptions { Name = "told", LoggerFactory = messages, BudgetBytes = 1 << 20 });
        TestStore store = new(64 * Page);
        PagedImage image = pager.OpenImage(store, "an image");
        TestClient client = NewClient(pager, image);
        Assert.Equal(store.Expected(0), client.WordAt(0));
        client.Paged.Detach();
        image.Dispose();
        await pager.DisposeAsync();
        Assert.Equal([2, 4, 6, 7, 5, 3], messages.All.Select(static message => message.Id));
        Assert.Contains("budget of 1048576 bytes", messages.All.First().Text, StringComparison.Ordinal);
    }

    [Fact(Timeout = 200_000)]
    public async Task Log_StoreFails_NamesImageRangeAndCause()
    {
        await Task.Yield();
        using MessageList messages = new();
        TestStore store = new(64 * Page) { Fails = static _ => true };
        Pager pager = NewPager(new PagerOptions { LoggerFactory = messages });
        TestClient client = NewClient(pager, pager.OpenImage(store, "an image"));
        Assert.Equal(AccessFault.BusError, client.LoadFault(3 * Page));
        (int _, LogLevel level, string text, Exception? cause) = messages.All.First(static message => message.Id == 10);
        Assert.Equal(LogLevel.Warning, level);
        Assert.Contains("'an image'", text, StringComparison.Ordinal);
        Assert.Contains("Bytes 0x0 to 0x10000", text, StringComparison.Ordinal);
        Assert.Contains("The test's disk is broken.", text, StringComparison.Ordinal);
        Assert.IsType<System.IO.IOException>(cause);
        Eventually(() => messages.All.Any(static message => message.Id == 12), "the error of the page");
        Assert.Contains("byte 0x3000", messages.All.First(static message => message.Id == 12).Text, StringComparison.Ordinal);
    }

    [Fact(Timeout = 200_000)]
    public async Task Log_StoreStalls_SaysItWasGivenUp()
    {
        await Task.Yield();
        using MessageList messages = new();
        TestStore store = new(64 * Page) { Stalls = static _ => true };
        Pager pager = NewPager(new PagerOptions { LoggerFactory = messages, LoadDeadline = TimeSpan.FromMilliseconds(300) });
        TestClient client = NewClient(pager, pager.OpenImage(store, "an image"));
        Assert.Equal(AccessFault.BusError, client.LoadFault(0));
        Eventually(() => messages.All.Any(static message => message.Id == 11), "the message");
    }

    [Fact(Timeout = 200_000)]
    public async Task Log_WrittenBytesCannotBeStored_NamesThem()
    {
        await Task.Yield();
        using MessageList messages = new();
        WritableTestStore store = new(64 * Page) { Fails = static _ => true };
        Pager pager = NewPager(new PagerOptions { LoggerFactory = messages, LoadBytes = 16384, SequentialWindowBytes = 16384, BudgetBytes = 1 << 20 });
        using MeterReader meter = new(pager);
        PagedImage image = pager.OpenImage(store, "an image");
        TestClient client = NewClient(pager, image, RegionKind.SharedImage);
        client.SetWord(8 * Page, 42);
        Assert.Throws<WriteBackException>(image.Flush);
        (int _, LogLevel level, string text, Exception? cause) = messages.All.First(static message => message.Id == 15);
        Assert.Equal(LogLevel.Error, level);
        Assert.Contains("Bytes 0x8000 to 0xc000 of the image 'an image'", text, StringComparison.Ordinal);
        Assert.NotNull(cause);
        Assert.True(meter.Now("faultline.store.write_errors") > 0);
        Assert.Equal(4, meter.Now("faultline.page.unstored"));
        store.Fails = static _ => false;
        Eventually(() => TryFlush(image), "the store's recovery");
        Assert.Equal(4, meter.Now("faultline.page.stored", "faultline.image.name=an image"));
        Assert.Equal(0, meter.Now("faultline.page.unstored"));
    }

    [Fact(Timeout = 200_000)]
    public async Task Log_AddressSpaceIsGone_NamesTheClient()
    {
        using MessageList messages = new();
        TestStore store = new(64 * Page) { Stalls = static _ => true };
        Pager pager = NewPager(new PagerOptions { LoggerFactory = messages });
        TestClient client = NewClient(pager, pager.OpenImage(store));
        Task<(AccessFault Fault, ulong Value)> waiting = client.BeginLoadAsync(0);
        Eventually(() => store.StalledReads == 1, "the fault");
        client.Space.Dispose();
        Assert.Equal(AccessFault.Killed, (await waiting).Fault);
        store.Release();
        Assert.Equal(ClientEnd.Exited, await client.Paged.Completion.WaitAsync(Deadline, TestContext.Current.CancellationToken));
        Eventually(() => messages.All.Any(static message => message.Id == 8), "the message");
        (int _, LogLevel level, string text, Exception? _) = messages.All.Single(static message => message.Id == 8);
        Assert.Equal(LogLevel.Information, level);
        Assert.Equal($"The context of the client '{client.Paged.Name}' is lost: its address space is gone.", text);
        Assert.DoesNotContain(messages.All, static message => message.Id == 7);
    }

    [Fact(Timeout = 200_000)]
    public async Task Log_ForkedClientCannotBeWaitedOn_SaysSo_AndItsPagesAreErrors()
    {
        await Task.Yield();
        using MessageList messages = new();
        using GatedEngine gated = new(Engine);
        TestStore store = new(64 * Page);
        Pager pager = Own(new Pager(gated, new PagerOptions { LoggerFactory = messages }));
        TestClient client = NewClient(pager, pager.OpenImage(store), features: Events);
        Assert.Equal(store.Expected(0), client.WordAt(0));
        gated.ArePollersFull = true;
        using IAddressSpace child = client.Space.Fork().OrThrow("fork");
        using IMemoryAccess access = child.OpenAccess().OrThrow("accessor");
        Assert.Equal(AccessFault.BusError, access.Load(client.At(63 * Page), out _).Fault);
        Eventually(() => messages.All.Any(static message => message.Id == 9), "the message");
        (int _, LogLevel level, string text, Exception? cause) = messages.All.Single(static message => message.Id == 9);
        Assert.Equal(LogLevel.Error, level);
        Assert.Contains($"'{client.Paged.Name}'s child' cannot be served", text, StringComparison.Ordinal);
        Assert.Equal(Errno.ENOSPC, Assert.IsType<MemoryEngineException>(cause).Errno);

        // The parent is served as before.
        Assert.Equal(store.Expected(40 * Page), client.WordAt(40 * Page));
    }

    [Fact(Timeout = 200_000)]
    public async Task Log_FaultWhereNothingIsServed_IsGivenUpAtTheDeadline()
    {
        await Task.Yield();
        Assert.SkipUnless(Engine.Capabilities.ManyAddressSpaces.IsAvailable, Engine.Capabilities.ManyAddressSpaces.Reason);
        Assert.SkipUnless(Engine.Capabilities.KernelFaults.IsAvailable, Engine.Capabilities.KernelFaults.Reason);
        using MessageList messages = new();
        Pager pager = NewPager(new PagerOptions { LoggerFactory = messages, LoadDeadline = TimeSpan.FromMilliseconds(300), TimeProvider = Clock });
        using IAddressSpace space = Engine.CreateAddressSpace().OrThrow("an address space");
        var request = MapRequest.PrivateAnonymous(4 * Page);
        AddressRange range = new(space.Map(in request).OrThrow("mmap"), 4 * Page);
        IUserfaultfd context = UserfaultfdHandshake.Open(space, Plain).OrThrow("userfaultfd");
        using PagerClient client = pager.Attach(context, "registered by another");
        Assert.True(context.Register(range, RegisterModes.Missing).IsOk);
        using IMemoryAccess access = space.OpenAccess().OrThrow("accessor");
        Assert.Equal(AccessFault.BusError, WhileTimePasses(() => access.Load(range.Start, out _).Fault));
        Eventually(() => messages.All.Any(static message => message.Id == 13), "the message");
        (int _, LogLevel level, string text, Exception? _) = messages.All.First(static message => message.Id == 13);
        Assert.Equal(LogLevel.Error, level);
        Assert.Contains($"The fault at 0x{range.Start.Value:x} of the client 'registered by another'", text, StringComparison.Ordinal);
        Assert.Contains("nobody serves it", text, StringComparison.Ordinal);
    }

    [Fact(Timeout = 200_000)]
    public async Task Log_BudgetIsLeased_SaysThatFaultsWait()
    {
        await Task.Yield();
        using MessageList messages = new();
        TestStore store = new(64 * Page);
        Pager pager = NewPager(new PagerOptions
        {
            LoggerFactory = messages,
            LoadBytes = 16384,
            SequentialWindowBytes = 16384,
            Budget = new MemoryBudget(8 * Page) { HeadroomBytes = 0 },
        });
        PagedImage image = pager.OpenImage(store, "an image");
        PagedMemory memory = Own(pager.Map(image));
        TestClient client = NewClient(pager, image);
        Task<(AccessFault Fault, ulong Value)> waiting;
        using (Lease first = memory.Lease(0, (int)(4 * Page)))
        using (Lease second = memory.Lease(4 * Page, (int)(4 * Page)))
        {
            waiting = client.BeginLoadAsync(32 * Page);
            Eventually(() => messages.All.Any(static message => message.Id == 14), "the message");
        }

        Assert.Equal((AccessFault.None, store.Expected(32 * Page)), await waiting);
        (int _, LogLevel level, string text, Exception? _) = messages.All.First(static message => message.Id == 14);
        Assert.Equal(LogLevel.Warning, level);
        Assert.Contains("The budget of 32768 bytes of the image 'an image' is taken by pages that cannot leave", text, StringComparison.Ordinal);
    }

    private static bool TryFlush(PagedImage image)
    {
        try
        {
            image.Flush();
            return true;
        }
        catch (WriteBackException)
        {
            return false;
        }
    }

    [Fact(Timeout = 200_000)]
    public async Task Log_StormOfErrors_IsFiveASecond_AndSaysHowManyWereLeftOut()
    {
        await Task.Yield();
        using MessageList messages = new();
        SteppedClock clock = new();
        TestStore store = new(256 * Page) { Fails = static _ => true };
        Pager pager = NewPager(new PagerOptions { LoggerFactory = messages, TimeProvider = clock, LoadBytes = 4096, SequentialWindowBytes = 4096 });
        PagedImage image = pager.OpenImage(store, "an image");
        for (ulong page = 0; page < 100; page++)
        {
            Assert.Throws<PageLoadException>(() => image.ReadAhead(page * Page, Page));
        }

        Assert.Equal(5, messages.All.Count(static message => message.Id == 10));
        long failed = image.GetStatistics().FailedLoads;
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Throws<PageLoadException>(() => image.ReadAhead(200 * Page, Page));
        Assert.Contains($"({failed - 5} more like it were left out.)", messages.All.Where(static message => message.Id == 10).Skip(5).First().Text, StringComparison.Ordinal);
    }

    /// <summary>A clock that a test moves.</summary>
    private sealed class SteppedClock : TimeProvider
    {
        private long _now = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Volatile.Read(ref _now);

        public void Advance(TimeSpan time) => Interlocked.Add(ref _now, time.Ticks);
    }

    /// <summary>Keeps messages.</summary>
    private sealed class MessageList : ILoggerFactory, ILogger
    {
        public ConcurrentQueue<(int Id, LogLevel Level, string Text, Exception? Cause)> All { get; } = [];

        public ILogger CreateLogger(string categoryName)
        {
            Assert.Equal(PagingTelemetry.LogCategory, categoryName);
            return this;
        }

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("This factory keeps messages itself.");

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Enqueue((eventId.Id, logLevel, formatter(state, exception), exception));

        public void Dispose()
        {
            // Messages are kept.
        }
    }
}
