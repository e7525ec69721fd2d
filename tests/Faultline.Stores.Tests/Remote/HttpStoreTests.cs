using System;
using System.Diagnostics;
using System.IO;
using System.Threading.Tasks;
using Faultline.Mm;
using Faultline.Paging;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>What a web server may do to a store, with a real one.</summary>
public sealed class HttpStoreTests : IAsyncLifetime
{
    /// <summary>A store that does not give up because the machine is busy.</summary>
    private static readonly RemoteStoreOptions Patient = new() { Deadline = TimeSpan.FromSeconds(60), AttemptTimeout = TimeSpan.FromSeconds(30) };

    private readonly TestFolder _folder = new();
    private NginxServer? _server;

    private NginxServer Server => _server ?? throw new InvalidOperationException("The server does not run.");

    public async ValueTask InitializeAsync() => _server = await NginxServer.StartAsync(_folder.Path);

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task Read_ServerKilledAndStartedInTheMiddle_LosesNothing()
    {
        byte[] contents = Serve("image", 24 << 20);
        using HttpPageStore store = await OpenAsync("image");
        using var engine = new ManagedEngine();
        using var pager = new Pager(engine, new PagerOptions { LoadDeadline = Reading.Deadline });
        using PagedImage image = pager.OpenImage(store, ownership: StoreOwnership.Caller);
        using PagedMemory memory = pager.Map(image);
        var trouble = Task.Run(async () =>
        {
            for (int i = 0; i < 3; i++)
            {
                await Task.Delay(60);
                await KillUntilAskedAsync(store);
            }
        });
        byte[] read = new byte[1 << 20];
        do
        {
            for (int offset = 0; offset < contents.Length; offset += read.Length)
            {
                memory.Read((ulong)offset, read);
                Reading.AssertSame(contents.AsMemory(offset, read.Length), read);

                // Straight from the store, too: the pager has its pages after the first round.
                Reading.AssertSame(contents.AsMemory(offset, 65536), await store.BytesAsync((ulong)offset, 65536));
            }
        }
        while (!trouble.IsCompleted);

        await trouble;
        Assert.True(store.Retries > 0, "The server was away, and nothing had to be asked twice.");
    }

    /// <summary>The server is away until the store has asked it in vain.</summary>
    private async Task KillUntilAskedAsync(HttpPageStore store)
    {
        await Server.KillAsync();
        long before = store.RequestsMade;
        long begun = Stopwatch.GetTimestamp();
        while (store.RequestsMade == before)
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < Reading.Deadline, "The server is away, and nobody has asked it.");
            await Task.Delay(5);
        }

        await Server.StartAsync();
    }

    [Theory]
    [InlineData("image")]
    [InlineData("no-tag/image")]
    public async Task Read_ObjectChanged_IsAnErrorAndNeverTheNewBytes(string name)
    {
        Serve("image", 1 << 20);
        using HttpPageStore store = await OpenAsync(name);
        Assert.Equal(name.StartsWith("no-tag", StringComparison.Ordinal), store.ETag is null);
        Serve("image", 1 << 20, seed: 2);
        File.SetLastWriteTimeUtc(Path.Combine(Server.Files, "image"), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        long before = store.RequestsMade;
        StoreChangedException changed = Assert.IsType<StoreChangedException>(await store.CauseAsync(1000, 1000));
        Assert.Contains("/image was changed", changed.Message, StringComparison.Ordinal);
        Assert.Equal(1, store.RequestsMade - before);
    }

    [Fact]
    public async Task Read_ObjectCutShort_IsAnError()
    {
        Serve("image", 1 << 20);
        using HttpPageStore store = await OpenAsync("no-tag/image");
        Serve("image", 4096);
        Assert.IsType<StoreChangedException>(await store.CauseAsync(1 << 19, 1000));
        Assert.IsType<StoreChangedException>(await store.CauseAsync(0, 1000));
    }

    [Fact]
    public async Task Read_WhileTheServerSaysUnavailable_IsTriedAgain()
    {
        byte[] contents = Serve("image", 1 << 20);
        using HttpPageStore store = await OpenAsync("image");
        await File.WriteAllTextAsync(Server.TroubleFile, string.Empty);
        Task<byte[]> reading = store.BytesAsync(5000, 5000);
        long begun = Stopwatch.GetTimestamp();
        while (store.RequestsMade < 4)
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < Reading.Deadline);
            await Task.Delay(5);
        }

        File.Delete(Server.TroubleFile);
        Reading.AssertSame(contents.AsMemory(5000, 5000), await reading);
        Assert.True(store.Retries >= 2);
    }

    [Fact]
    public async Task Read_ServerDoesNotAnswer_EndsAtTheDeadlineAndNamesTheRange()
    {
        byte[] contents = Serve("image", 1 << 20);
        var options = new RemoteStoreOptions { AttemptTimeout = TimeSpan.FromSeconds(1), Deadline = TimeSpan.FromSeconds(4) };
        using HttpPageStore store = await OpenAsync("image", options);
        await Server.FreezeAsync();
        long begun = Stopwatch.GetTimestamp();
        StoreReadException failed = Assert.IsType<StoreReadException>(await store.CauseAsync(0x3000, 0x1000));
        Assert.InRange(Stopwatch.GetElapsedTime(begun).TotalSeconds, 3.9, Reading.Deadline.TotalSeconds);
        Assert.Equal((0x3000UL, 0x1000UL), (failed.Offset, failed.Length));
        Assert.Contains("0x3000 to 0x4000", failed.Message, StringComparison.Ordinal);
        Assert.Contains("4 seconds", failed.Message, StringComparison.Ordinal);
        await Server.ThawAsync();
        Reading.AssertSame(contents.AsMemory(0x3000, 0x1000), await store.BytesAsync(0x3000, 0x1000));
    }

    [Fact]
    public async Task Read_ServerDoesNotAnswerOneClientsPart_TheOthersGoOn()
    {
        byte[] contents = Serve("image", 1 << 20);
        using HttpPageStore store = await OpenAsync("image", Patient with { RequestBytes = 64 << 10 });
        using var engine = new ManagedEngine();
        using var pager = new Pager(engine, new PagerOptions { LoadDeadline = TimeSpan.FromSeconds(4) });
        using PagedImage image = pager.OpenImage(store, "remote", StoreOwnership.Caller);
        using PagedMemory memory = pager.Map(image);
        byte[] read = new byte[4096];
        memory.Read(0, read);
        await Server.FreezeAsync();
        PageLoadException failed = await Task.Run(() => Assert.Throws<PageLoadException>(() => memory.Read(512 << 10, new byte[4096])));
        Assert.Equal("remote", failed.Image);
        Assert.IsType<TimeoutException>(failed.InnerException);

        // What is in memory is there all the while.
        memory.Read(100, read.AsSpan(0, 1000));
        Reading.AssertSame(contents.AsMemory(100, 1000), read.AsMemory(0, 1000));
        await Server.ThawAsync();
        memory.Read(512 << 10, read);
        Reading.AssertSame(contents.AsMemory(512 << 10, 4096), read);
    }

    [Fact]
    public async Task Read_ALargeRange_IsSplitIntoRequestsSideBySide()
    {
        byte[] contents = Serve("image", 4 << 20);

        // The server sends each connection 128 KiB a second: one after another these would take 32 seconds, and side by side 2.
        using HttpPageStore store = await OpenAsync("slow/image", Patient with { RequestBytes = 256 << 10 });
        long before = store.RequestsMade;
        long begun = Stopwatch.GetTimestamp();
        Reading.AssertSame(contents, await store.AllAsync());
        Assert.Equal(16, store.RequestsMade - before);
        Assert.InRange(Stopwatch.GetElapsedTime(begun).TotalSeconds, 0, 20);
    }

    [Theory]
    [InlineData("missing", "404")]
    [InlineData("forbidden", "403")]
    [InlineData("no-ranges/image", "range")]
    public async Task Open_WhatCannotBeServed_FailsAtOnceAndSaysWhy(string name, string reason)
    {
        Serve("image", 4096);
        long begun = Stopwatch.GetTimestamp();
        IOException refused = await Assert.ThrowsAnyAsync<IOException>(() => OpenAsync(name));
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.True(Stopwatch.GetElapsedTime(begun) < Patient.Deadline / 2);
    }

    [Fact]
    public async Task Open_NobodyListens_FailsAtTheDeadline()
    {
        await Server.KillAsync();
        var options = new RemoteStoreOptions { AttemptTimeout = TimeSpan.FromSeconds(1), Deadline = TimeSpan.FromSeconds(2) };
        IOException refused = await Assert.ThrowsAnyAsync<IOException>(() => OpenAsync("image", options));
        Assert.Contains("refused", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Message_OfASignedAddress_DoesNotShowTheSignature()
    {
        Serve("image", 4096);
        var address = new Uri(Server.AddressOf("image") + "?X-Signature=secret");
        using HttpPageStore store = await HttpPageStore.OpenAsync(address);
        await Server.KillAsync();
        Assert.DoesNotContain("secret", store.DisplayName, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_EncryptedServerKilledAndStartedInTheMiddle_LosesNothing()
    {
        byte[] contents = Serve("image", 8 << 20);
        RemoteStoreOptions options = Patient with { TrustedAuthorities = Server.Authorities };
        using HttpPageStore store = await HttpPageStore.OpenAsync(Server.SecureAddressOf("image"), options);
        var trouble = Task.Run(async () =>
        {
            for (int i = 0; i < 2; i++)
            {
                await Task.Delay(40);
                await KillUntilAskedAsync(store);
            }
        });
        do
        {
            for (int offset = 0; offset < contents.Length; offset += 1 << 18)
            {
                Reading.AssertSame(contents.AsMemory(offset, 1 << 18), await store.BytesAsync((ulong)offset, 1 << 18));
            }
        }
        while (!trouble.IsCompleted);

        await trouble;
        Assert.True(store.Retries > 0, "The server was away, and nothing had to be asked twice.");
    }

    [Fact]
    public async Task Open_CertificateThatNobodyKnows_FailsAtOnceAndSaysWhy()
    {
        Serve("image", 4096);
        long begun = Stopwatch.GetTimestamp();
        IOException refused = await Assert.ThrowsAnyAsync<IOException>(() => HttpPageStore.OpenAsync(Server.SecureAddressOf("image"), Patient));
        Assert.Contains("cannot be trusted", refused.Message, StringComparison.Ordinal);
        Assert.True(Stopwatch.GetElapsedTime(begun) < Patient.Deadline / 2);

        // One that comes from a trusted authority, but is another server's, is not trusted either.
        RemoteStoreOptions options = Patient with { TrustedAuthorities = Server.Authorities };
        Uri elsewhere = new UriBuilder(Server.SecureAddressOf("image")) { Host = "127.0.0.1" }.Uri;
        refused = await Assert.ThrowsAnyAsync<IOException>(() => HttpPageStore.OpenAsync(elsewhere, options));
        Assert.Contains("cannot be trusted", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_LayersBesideEachOther_AreFollowed()
    {
        byte[] bytes = Sample.Bytes(Sample.OddLength);
        string lower = Path.Combine(Server.Files, "base image.flt");
        await ImageBuilder.CreateAsync(new MemoryPageStore(bytes), lower, new ImageWriterOptions());
        byte[] changed = Sample.Changed(bytes, 1);
        using (IPageStore below = await new StoreAddresses().OpenAsync(lower))
        {
            var options = new ImageWriterOptions { Base = (ImagePageStore)below, BaseName = "base image.flt" };
            await ImageBuilder.CreateAsync(new MemoryPageStore(changed), Path.Combine(Server.Files, "layer.flt"), options);
        }

        using IPageStore layer = await StoreAddresses.WithHttp().OpenAsync(Server.AddressOf("layer.flt").ToString());
        Reading.AssertSame(changed, await layer.AllAsync());
    }

    private Task<HttpPageStore> OpenAsync(string name, RemoteStoreOptions? options = null) =>
        HttpPageStore.OpenAsync(Server.AddressOf(name), options ?? Patient);

    private byte[] Serve(string name, int length, int seed = 1)
    {
        byte[] contents = Sample.Bytes(length, seed);
        string path = Path.Combine(Server.Files, name);
        string temporary = path + ".new";
        File.WriteAllBytes(temporary, contents);
        File.Move(temporary, path, overwrite: true);
        return contents;
    }
}
