using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;
using Faultline.Stores.Tests;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Faultline.Hosting.Tests;

/// <summary>A pager in a real host, on the managed engine unless a test says otherwise.</summary>
public sealed class HostTests
{
    private const ulong Length = 1 << 20;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("Managed")]
    [InlineData("Linux")]
    public async Task Start_ImagesOfTheConfigurationAndTheProgram_AreServedByName(string engine)
    {
        using var folder = new TestFolder();
        string file = Path.Combine(folder.Path, "file.img");
        await File.WriteAllBytesAsync(file, [.. Enumerable.Repeat((byte)7, 5000)]);
        SwitchedStore store = new(Length);
        using IHost host = Build(
            [("Faultline:Engine", engine), ("Faultline:Images:file:Address", file), ("Faultline:BudgetBytes", "262144")],
            store);
        if (engine == "Linux")
        {
            using Linux.LinuxEngine probe = new();
            Assert.SkipUnless(probe.Capabilities.KernelFaults.IsAvailable, probe.Capabilities.KernelFaults.Reason);
        }

        await host.StartAsync();
        FaultlineImages images = host.Services.GetRequiredService<FaultlineImages>();
        Assert.Equal("file, made", string.Join(", ", images.Names.Order(StringComparer.Ordinal)));
        using (ImageUse use = images.Use("file"))
        {
            byte[] bytes = new byte[100];
            use.Memory.Read(4900, bytes);
            Assert.All(bytes, static value => Assert.Equal(7, value));
        }

        using (ImageUse use = images.Use("made"))
        {
            byte[] bytes = new byte[(int)Length];
            use.Memory.Read(0, bytes);
            Assert.Equal(SwitchedStore.ByteAt(777_777), bytes[777_777]);
        }

        Pager pager = host.Services.GetRequiredService<Pager>();
        Assert.Equal(262144UL, pager.Options.BudgetBytes);
        Assert.InRange(pager.GetStatistics().ResidentBytes, 1, 2 * 262144);
        Assert.Throws<KeyNotFoundException>(() => images.Use("another"));
        await host.StopAsync().WaitAsync(Deadline);
        Assert.True(store.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => images.Use("made"));
    }

    [Fact]
    public async Task Start_WrongOptions_SaysEverythingThatIsWrong()
    {
        using IHost host = Build([
            ("Faultline:HandlerThreads", "0"),
            ("Faultline:StopDeadline", "00:00:00"),
            ("Faultline:Images:model:Address", " "),
        ]);
        OptionsValidationException wrong = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.Collection(
            wrong.Failures,
            static failure => Assert.Equal("Faultline: HandlerThreads is 0; it must be from 1 to 256.", failure),
            static failure => Assert.Equal("Faultline:StopDeadline is 00:00:00; it must be more than nothing, and at most an hour.", failure),
            static failure => Assert.Equal("Faultline:Images:model:Address is missing: name a file or a web address.", failure));
    }

    [Fact]
    public async Task Start_ImageIsNotThere_NamesIt()
    {
        using IHost host = Build([("Faultline:Images:model:Address", "/nowhere/model.bin")]);
        InvalidOperationException failure = await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync());
        Assert.Contains("The image 'model' could not be opened", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_TwoImagesOfOneName_IsRefused()
    {
        using var folder = new TestFolder();
        string file = Path.Combine(folder.Path, "file.img");
        await File.WriteAllBytesAsync(file, new byte[5000]);
        SwitchedStore store = new(Length);
        using IHost host = Build([("Faultline:Images:made:Address", file)], store);
        await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync());
        Assert.True(store.IsDisposed);
    }

    [Fact]
    public async Task Stop_ImageInUse_WaitsForIt()
    {
        using IHost host = Build([("Faultline:StopDeadline", "00:01:00")], new SwitchedStore(Length));
        await host.StartAsync();
        ImageUse use = host.Services.GetRequiredService<FaultlineImages>().Use("made");
        Task stopping = host.StopAsync();
        await Task.Delay(200);
        Assert.False(stopping.IsCompleted);
        byte[] bytes = new byte[4096];
        use.Memory.Read(500_000, bytes);
        Assert.Equal(SwitchedStore.ByteAt(500_000), bytes[0]);
        use.Dispose();
        await stopping.WaitAsync(Deadline);
    }

    [Fact]
    public async Task Stop_ImageInUseForTooLong_EndsAtTheDeadlineAndSaysSo()
    {
        WarningList warnings = new();
        using IHost host = Build([("Faultline:StopDeadline", "00:00:00.2")], new SwitchedStore(Length), warnings);
        await host.StartAsync();
        using ImageUse use = host.Services.GetRequiredService<FaultlineImages>().Use("made");
        await host.StopAsync().WaitAsync(Deadline);
        Assert.Contains("1 uses of images had not ended", Assert.Single(warnings.Texts), StringComparison.Ordinal);
        Assert.Throws<ObjectDisposedException>(() => use.Memory.Read(0, new byte[1]));
    }

    [Theory]
    [InlineData(DetachPolicy.Poison, AccessFault.BusError)]
    [InlineData(DetachPolicy.Complete, AccessFault.None)]
    public async Task Stop_ClientOfAnotherAddressSpace_IsDetachedAsAsked(DetachPolicy policy, AccessFault expected)
    {
        using Mm.ManagedEngine engine = new();
        using IHost host = Build([("Faultline:DetachPolicy", policy.ToString())], new SwitchedStore(Length), engine: engine);
        await host.StartAsync();
        Pager pager = host.Services.GetRequiredService<Pager>();
        using ImageUse use = host.Services.GetRequiredService<FaultlineImages>().Use("made");
        PagedImage image = use.Memory.Image;
        use.Dispose();
        using IAddressSpace space = engine.CreateAddressSpace().OrThrow("an address space");
        var request = MapRequest.PrivateFile(image.File, image.MappedLength);
        AddressRange range = new(space.Map(in request).OrThrow("mmap"), image.MappedLength);
        const UserfaultfdFeatures Features = UserfaultfdFeatures.MissingShmem | UserfaultfdFeatures.MinorShmem | UserfaultfdFeatures.Poison;
        PagerClient client = pager.Attach(UserfaultfdHandshake.Open(space, Features).OrThrow("userfaultfd"), "outside");
        client.AddRegion(range, image, 0, RegionKind.PrivateImage);
        await host.StopAsync().WaitAsync(Deadline);
        Assert.Equal(ClientEnd.Detached, await client.Completion.WaitAsync(Deadline));
        using IMemoryAccess access = space.OpenAccess().OrThrow("accessor");
        Assert.Equal(expected, access.Load(range.Start + 0x8000, out _).Fault);
    }

    [Fact]
    public async Task Health_StoreFailsAndRecovers_IsDegradedAndHealthyAgain()
    {
        SwitchedStore store = new(Length);
        using IHost host = Build([("Faultline:HealthDeadline", "00:01:00")], store);
        await host.StartAsync();
        HealthReport healthy = await CheckAsync(host);
        Assert.Equal(HealthStatus.Healthy, healthy.Status);
        Assert.True(healthy.Entries["faultline"].Data.ContainsKey("made.residentBytes"));
        store.IsOff = true;
        HealthReport degraded = await CheckAsync(host);
        Assert.Equal(HealthStatus.Degraded, degraded.Status);
        Assert.Equal("The store of 'made' cannot be read: The store is switched off.", degraded.Entries["faultline"].Description);
        store.IsOff = false;
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(host)).Status);
        await host.StopAsync().WaitAsync(Deadline);
        Assert.Equal(HealthStatus.Unhealthy, (await CheckAsync(host)).Status);
    }

    [Fact]
    public async Task Health_HandlersAreHeldUp_IsUnhealthyUntilTheyAreNot()
    {
        SwitchedStore store = new(Length);
        using Mm.ManagedEngine engine = new();
        using IHost host = Build(
            [("Faultline:HandlerThreads", "1"), ("Faultline:HealthDeadline", "00:00:00.3"), ("Faultline:LoadDeadline", "00:01:00")], store, engine: engine);
        await host.StartAsync();
        Pager pager = host.Services.GetRequiredService<Pager>();
        PagedImage image = Image(host);
        using IAddressSpace space = engine.CreateAddressSpace().OrThrow("an address space");
        var request = MapRequest.PrivateFile(image.File, image.MappedLength);
        AddressRange range = new(space.Map(in request).OrThrow("mmap"), image.MappedLength);
        const UserfaultfdFeatures Features = UserfaultfdFeatures.MissingShmem | UserfaultfdFeatures.MinorShmem | UserfaultfdFeatures.Poison;
        PagerClient client = pager.Attach(UserfaultfdHandshake.Open(space, Features).OrThrow("userfaultfd"), "outside");
        client.AddRegion(range, image, 0, RegionKind.PrivateImage);
        using ManualResetEventSlim go = new();
        store.HeldUpUntil = go;
        using IMemoryAccess access = space.OpenAccess().OrThrow("accessor");
        Task<AccessFault> fault = Task.Run(() => access.Load(range.Start, out _).Fault);
        HealthReport stuck;
        do
        {
            stuck = await CheckAsync(host).WaitAsync(Deadline);
        }
        while (stuck.Status != HealthStatus.Unhealthy && !fault.IsCompleted);

        Assert.Equal(HealthStatus.Unhealthy, stuck.Status);
        Assert.Contains("sign of life", stuck.Entries["faultline"].Description, StringComparison.Ordinal);
        go.Set();
        Assert.Equal(AccessFault.None, await fault.WaitAsync(Deadline));

        // A sign of life may take longer than the 0.3 s once, where others have the processors; not each time.
        HealthReport well;
        long begun = Stopwatch.GetTimestamp();
        do
        {
            well = await CheckAsync(host).WaitAsync(Deadline);
        }
        while (well.Status != HealthStatus.Healthy && Stopwatch.GetElapsedTime(begun) < Deadline);

        Assert.Equal(HealthStatus.Healthy, well.Status);
        client.Detach();
        await host.StopAsync().WaitAsync(Deadline);
    }

    [Fact]
    public async Task Add_Twice_IsOnePager()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddFaultline(static options => options.Engine = HostedEngine.Managed)
            .AddImage("made", static (_, _) => OpenAsync(new SwitchedStore(Length)));
        builder.Services.AddFaultline(static options =>
        {
            options.HandlerThreads = 3;
            options.HealthDeadline = Deadline;
        });
        using IHost host = builder.Build();
        await host.StartAsync();
        Assert.Equal(3, host.Services.GetRequiredService<Pager>().Options.HandlerThreads);
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(host)).Status);
        await host.StopAsync().WaitAsync(Deadline);
    }

    private static PagedImage Image(IHost host)
    {
        using ImageUse use = host.Services.GetRequiredService<FaultlineImages>().Use("made");
        return use.Memory.Image;
    }

    private static Task<HealthReport> CheckAsync(IHost host) => host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();

    private static Task<IPageStore> OpenAsync(SwitchedStore store) => Task.FromResult<IPageStore>(store);

    private static IHost Build(
        (string Key, string Value)[] settings, SwitchedStore? store = null, ILoggerProvider? log = null, IMemoryEngine? engine = null)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(settings
            .Append((Key: "Faultline:Engine", Value: "Managed"))
            .DistinctBy(static setting => setting.Key, StringComparer.Ordinal)
            .Select(static setting => KeyValuePair.Create<string, string?>(setting.Key, setting.Value)));
        if (log is not null)
        {
            builder.Logging.AddProvider(log);
        }

        if (engine is not null)
        {
            builder.Services.AddSingleton(engine);
        }

        FaultlineBuilder faultline = builder.Services.AddFaultline();
        if (store is not null)
        {
            faultline.AddImage("made", (_, _) => OpenAsync(store));
        }

        return builder.Build();
    }

    /// <summary>Keeps warnings.</summary>
    private sealed class WarningList : ILoggerProvider, ILogger
    {
        public List<string> Texts { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (Texts)
            {
                if (IsEnabled(logLevel))
                {
                    Texts.Add(formatter(state, exception));
                }
            }
        }

        public void Dispose()
        {
            // Texts are kept.
        }
    }
}
