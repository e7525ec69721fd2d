using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Faultline.Paging;
using Faultline.Stores.Tests;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Faultline.Hosting.Tests;

/// <summary>What an operator sets in the configuration reaches the pager, and what makes no sense is said before the host starts.</summary>
public sealed class HostOptionsTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public void Options_OfTheConfiguration_ReachThePager()
    {
        using IHost host = Build([
            ("BudgetBytes", "1048576"),
            ("BudgetHeadroomBytes", "262144"),
            ("EvictionPolicy", "lastfirst"),
            ("LoadDeadline", "00:00:03"),
            ("Tracking", "Asynchronous"),
            ("Prefetch:LoadsAtOnce", "4"),
            ("Prefetch:AheadBytes", "65536"),
            ("Prefetch:Streams", "3"),
            ("Prefetch:LongestStrideBytes", "8192"),
            ("Prefetch:QueuedGuesses", "7"),
            ("Prefetch:LeastLatency", "00:00:00.5"),
        ]);
        PagerOptions options = host.Services.GetRequiredService<Pager>().Options;
        Assert.Equal(1048576UL, options.Budget!.Bytes);
        Assert.Equal(262144UL, options.Budget.HeadroomBytes);
        Assert.IsType<LastFirst>(options.Budget.Policy!());
        Assert.Equal(TimeSpan.FromSeconds(3), options.LoadDeadline);
        Assert.Equal(DirtyTracking.Asynchronous, options.Tracking);
        Assert.Equal(
            new PrefetchOptions
            {
                LoadsAtOnce = 4,
                AheadBytes = 65536,
                Streams = 3,
                LongestStrideBytes = 8192,
                QueuedGuesses = 7,
                LeastLatency = TimeSpan.FromSeconds(0.5),
            },
            options.Prefetch);
    }

    [Fact]
    public void Options_LeftOut_AreThoseOfThePager()
    {
        using IHost host = Build([]);
        PagerOptions options = host.Services.GetRequiredService<Pager>().Options;
        Assert.Equal(new PagerOptions { LoggerFactory = options.LoggerFactory }, options);
    }

    [Theory]
    [InlineData("Faultline:BudgetHeadroomBytes is set without BudgetBytes, of which it is a part.", "BudgetHeadroomBytes", "4096")]
    [InlineData(
        "Faultline: BudgetHeadroomBytes is 1000000; it must be at most half of the budget of 1048576 bytes.",
        "BudgetHeadroomBytes", "1000000", "BudgetBytes", "1048576")]
    [InlineData("Faultline: The budget is 4096 bytes; it must be at least twice LoadBytes (65536).", "BudgetBytes", "4096")]
    [InlineData("Faultline:EvictionPolicy is 'Random'; there are: Clock, LastFirst.", "EvictionPolicy", "Random")]
    [InlineData("Faultline: Prefetch.Streams is 0; it must be from 1 to 64.", "Prefetch:Streams", "0")]
    [InlineData(
        "Faultline:Images:a:WriteBack is set for http://127.0.0.1/x; only a file can be written back.",
        "Images:a:WriteBack", "true", "Images:a:Address", "http://127.0.0.1/x")]
    [InlineData(
        "Faultline:Images:a:WriteBack needs Faultline:Tracking to be Synchronous: otherwise nobody tells of writes.",
        "Images:a:WriteBack", "true", "Images:a:Address", "/x", "Tracking", "Asynchronous")]
    [InlineData(
        "Faultline:Images:a:Record is '/no-such-folder/ws.json'; it must name a file in a folder that exists.",
        "Images:a:Record", "/no-such-folder/ws.json", "Images:a:Address", "/x")]
    public async Task Start_OptionThatMakesNoSense_SaysWhich(string expected, params string[] settings)
    {
        using IHost host = Build([.. settings.Chunk(2).Select(static pair => (pair[0], pair[1]))]);
        OptionsValidationException wrong = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.Equal(expected, Assert.Single(wrong.Failures));
    }

    [Fact]
    public async Task WriteBack_AFile_HasWhatWasWrittenWhenTheHostHasStopped()
    {
        using var folder = new TestFolder();
        string file = Path.Combine(folder.Path, "file.img");
        await File.WriteAllBytesAsync(file, new byte[300_000]);
        using IHost host = Build([("Images:file:Address", file), ("Images:file:WriteBack", "true"), ("BudgetBytes", "262144")]);
        await host.StartAsync();
        using (ImageUse use = host.Services.GetRequiredService<FaultlineImages>().Use("file"))
        {
            use.Memory.Write(123_456, "written"u8);
        }

        await host.StopAsync().WaitAsync(Deadline);
        Assert.Equal("written"u8.ToArray(), (await File.ReadAllBytesAsync(file))[123_456..123_463]);
    }

    [Fact]
    public async Task WriteBack_StoreThatTakesNoWrites_SaysWhatToDo()
    {
        using IHost host = Build([], static builder => builder.AddImage(
            "made", static (_, _) => Task.FromResult<IPageStore>(new SwitchedStore(1 << 20)), static image => image.WriteBack = true));
        InvalidOperationException failure = await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync());
        Assert.StartsWith("The image 'made' is to be written back, and its SwitchedStore takes no writes.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WriteBack_StoreFailsAtTheEnd_IsAnErrorInTheLog()
    {
        MessageList messages = new();
        using IHost host = Build(
            [("BudgetBytes", "262144")],
            static builder => builder.AddImage(
                "made", static (_, _) => Task.FromResult<IPageStore>(new ReadOnlyDisk()), static image => image.WriteBack = true),
            messages);
        await host.StartAsync();
        using (ImageUse use = host.Services.GetRequiredService<FaultlineImages>().Use("made"))
        {
            use.Memory.Write(0, "written"u8);
        }

        await host.StopAsync().WaitAsync(Deadline);
        Assert.StartsWith("What was written to the image 'made' could not all be stored at the end:", messages.Only(5), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Record_OneRun_IsReplayedByTheNext()
    {
        using var folder = new TestFolder();
        string set = Path.Combine(folder.Path, "ws.json");
        MessageList messages = new();
        (string, string)[] settings = [("Images:file:Address", Path.Combine(folder.Path, "file.img")), ("Images:file:Replay", set), ("Images:file:Record", set)];
        await File.WriteAllBytesAsync(Path.Combine(folder.Path, "file.img"), [.. Enumerable.Repeat((byte)7, 1 << 20)]);
        using (IHost first = Build(settings, log: messages))
        {
            await first.StartAsync();
            using (ImageUse use = first.Services.GetRequiredService<FaultlineImages>().Use("file"))
            {
                use.Memory.Read(500_000, new byte[10]);
            }

            await first.StopAsync().WaitAsync(Deadline);
        }

        // The first run has none to replay, says so, and starts.
        Assert.StartsWith($"The working set '{set}' of the image 'file' is not replayed:", messages.Only(3), StringComparison.Ordinal);
        var recorded = WorkingSet.Load(set);
        Assert.Contains(recorded.Touches, static touch => touch.Page <= 500_000 / 4096 && touch.Page + touch.Count > 500_000 / 4096);
        MessageList none = new();
        using IHost second = Build(settings, log: none);
        await second.StartAsync();
        Pager pager = second.Services.GetRequiredService<Pager>();
        Assert.True(await ComesAsync(() => pager.GetStatistics().ResidentBytes > 0), "Nothing was brought ahead.");
        await second.StopAsync().WaitAsync(Deadline);
        Assert.Empty(none.Texts);
    }

    [Fact]
    public async Task Record_FileCannotBeWritten_IsAWarning()
    {
        using var folder = new TestFolder();
        string inner = Path.Combine(folder.Path, "inner");
        Directory.CreateDirectory(inner);
        MessageList messages = new();
        string file = Path.Combine(folder.Path, "file.img");
        await File.WriteAllBytesAsync(file, new byte[5000]);
        using IHost host = Build([("Images:file:Address", file), ("Images:file:Record", Path.Combine(inner, "ws.json"))], log: messages);
        await host.StartAsync();
        Directory.Delete(inner);
        await host.StopAsync().WaitAsync(Deadline);
        Assert.StartsWith("The working set", messages.Only(4), StringComparison.Ordinal);
    }

    private static async Task<bool> ComesAsync(Func<bool> condition)
    {
        for (long begun = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(begun) < Deadline;)
        {
            if (condition())
            {
                return true;
            }

            await Task.Delay(5);
        }

        return false;
    }

    private static IHost Build((string Key, string Value)[] settings, Action<FaultlineBuilder>? add = null, ILoggerProvider? log = null)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(settings
            .Append(("Engine", "Managed"))
            .Select(static setting => KeyValuePair.Create<string, string?>("Faultline:" + setting.Item1, setting.Item2)));
        if (log is not null)
        {
            builder.Logging.AddProvider(log);
        }

        FaultlineBuilder faultline = builder.Services.AddFaultline().AddEvictionPolicy("LastFirst", static () => new LastFirst());
        add?.Invoke(faultline);
        return builder.Build();
    }

    /// <summary>Takes out what has the highest offset.</summary>
    private sealed class LastFirst : IEvictionPolicy
    {
        public int Choose(EvictionView chunks, Span<int> victims)
        {
            int last = -1;
            for (int chunk = chunks.NextResident(0); chunk >= 0; chunk = chunks.NextResident(chunk + 1))
            {
                last = chunks.MayEvict(chunk) ? chunk : last;
            }

            if (last >= 0)
            {
                victims[0] = last;
            }

            return last >= 0 ? 1 : 0;
        }
    }

    /// <summary>Reads as zeroes, and takes no write although it says so. It never stalls.</summary>
    private sealed class ReadOnlyDisk : IWritablePageStore
    {
        public ulong Length => 1 << 20;

        public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, System.Threading.CancellationToken cancellationToken)
        {
            target.Span.Clear();
            return new(StoreRead.Of(target.Length));
        }

        public ValueTask<StoreWrite> WriteAsync(ulong offset, ReadOnlyMemory<byte> source, System.Threading.CancellationToken cancellationToken) =>
            new(StoreWrite.Failed(new IOException("The disk is full.")));

        public void Dispose()
        {
            // There is nothing to close.
        }
    }

    /// <summary>Keeps the warnings and errors of the host.</summary>
    private sealed class MessageList : ILoggerProvider, ILogger
    {
        private readonly List<(int Id, string Text)> _texts = [];

        public IReadOnlyList<string> Texts
        {
            get
            {
                lock (_texts)
                {
                    return [.. _texts.Select(static message => message.Text)];
                }
            }
        }

        public string Only(int id)
        {
            lock (_texts)
            {
                return Assert.Single(_texts, message => message.Id == id).Text;
            }
        }

        public ILogger CreateLogger(string categoryName) =>
            categoryName == "Faultline.Hosting" ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_texts)
            {
                _texts.Add((eventId.Id, formatter(state, exception)));
            }
        }

        public void Dispose()
        {
            // Texts are kept.
        }
    }
}
