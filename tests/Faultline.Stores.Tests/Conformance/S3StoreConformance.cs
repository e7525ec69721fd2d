using System;
using System.Threading.Tasks;
using Faultline.Paging;
using Faultline.S3;

namespace Faultline.Stores.Tests;

/// <summary>A real object storage, which is killed and started again.</summary>
[ConformanceOf(typeof(S3PageStore))]
public sealed class S3StoreConformance : BreakableStoreConformance
{
    private S3Server? _server;

    protected override async Task<IPageStore> OpenAsync(byte[] contents)
    {
        _server = await S3Server.StartAsync(Folder.Path);
        await _server.PutAsync("an image", contents);
        var options = new RemoteStoreOptions { Deadline = TimeSpan.FromSeconds(8), AttemptTimeout = TimeSpan.FromSeconds(5), RequestBytes = 64 << 10 };
        return await S3PageStore.OpenAsync(_server.NewClient(), S3Server.Bucket, "an image", options);
    }

    protected override Task BreakAsync() => _server!.KillAsync();

    protected override Task RepairAsync() => _server!.StartAsync();

    protected override async ValueTask CloseAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}
