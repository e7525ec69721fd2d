using System;
using System.IO;
using System.Threading.Tasks;
using Faultline.Paging;
using Faultline.S3;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>What an object storage may do to a store, with a real one.</summary>
public sealed class S3StoreTests : IAsyncLifetime
{
    private readonly TestFolder _folder = new();
    private S3Server? _server;

    private S3Server Server => _server ?? throw new InvalidOperationException("The server does not run.");

    public async ValueTask InitializeAsync() => _server = await S3Server.StartAsync(_folder.Path);

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task Read_ObjectChanged_IsAnErrorAndNeverTheNewBytes()
    {
        await Server.PutAsync("image", Sample.Bytes(300_000));
        using S3PageStore store = await OpenAsync("image");
        await Server.PutAsync("image", Sample.Bytes(300_000, 2));
        StoreChangedException changed = Assert.IsType<StoreChangedException>(await store.CauseAsync(1000, 1000));
        Assert.Contains("s3://images/image was changed", changed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_ServerKilledAndStarted_IsTriedAgain()
    {
        byte[] contents = Sample.Bytes(300_000);
        await Server.PutAsync("image", contents);
        using S3PageStore store = await OpenAsync("image");
        await Server.KillAsync();
        Task<byte[]> reading = store.BytesAsync(1000, 200_000);
        await Server.StartAsync();
        Reading.AssertSame(contents.AsMemory(1000, 200_000), await reading);
        Assert.True(store.Retries > 0);
    }

    [Fact]
    public async Task Read_SignedAddress_WorksAndIsNotShown()
    {
        byte[] contents = Sample.Bytes(300_000);
        await Server.PutAsync("image", contents);
        Uri address = await Server.SignAsync("image");
        Assert.Contains("Signature=", address.Query, StringComparison.Ordinal);
        using HttpPageStore store = await HttpPageStore.OpenAsync(address);
        Reading.AssertSame(contents, await store.AllAsync());
        Assert.DoesNotContain("Signature", store.DisplayName, StringComparison.Ordinal);

        // This server knows who it is that signed; it does not check signatures of version 4.
        var forged = new Uri(address.AbsoluteUri.Replace("Credential=S3RVER", "Credential=NOBODY", StringComparison.Ordinal));
        IOException refused = await Assert.ThrowsAnyAsync<IOException>(() => HttpPageStore.OpenAsync(forged));
        Assert.Contains("403", refused.Message, StringComparison.Ordinal);
        await Server.PutAsync("image", Sample.Bytes(300_000, 2));
        Assert.IsType<StoreChangedException>(await store.CauseAsync(0, 1000));
    }

    [Fact]
    public async Task Open_NoSuchObject_FailsAtOnceAndSaysSo()
    {
        FileNotFoundException missing = await Assert.ThrowsAsync<FileNotFoundException>(() => OpenAsync("nothing"));
        Assert.Contains("s3://images/nothing does not exist", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_AnImageInABucket_PagesFromIt()
    {
        byte[] contents = Sample.Bytes(Sample.OddLength);
        string path = _folder.File("image.flt");
        await ImageBuilder.CreateAsync(new MemoryPageStore(contents), path, new ImageWriterOptions());
        await Server.PutAsync("folder/image.flt", await File.ReadAllBytesAsync(path));
        using ImagePageStore image = await ImagePageStore.OpenAsync(await OpenAsync("folder/image.flt"), "image.flt");
        Reading.AssertSame(contents, await image.AllAsync());
    }

    private Task<S3PageStore> OpenAsync(string key) => S3PageStore.OpenAsync(Server.NewClient(), S3Server.Bucket, key);
}
