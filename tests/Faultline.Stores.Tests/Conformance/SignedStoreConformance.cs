using System;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores.Tests;

/// <summary>An object in a bucket behind a pre-signed address: no credentials here, only the address.</summary>
[ConformanceOf(typeof(HttpPageStore))]
public sealed class SignedStoreConformance : BreakableStoreConformance
{
    private S3Server? _server;

    protected override async Task<IPageStore> OpenAsync(byte[] contents)
    {
        _server = await S3Server.StartAsync(Folder.Path);
        await _server.PutAsync("an image", contents);
        var options = new RemoteStoreOptions { Deadline = TimeSpan.FromSeconds(8), AttemptTimeout = TimeSpan.FromSeconds(5), RequestBytes = 64 << 10 };
        return await HttpPageStore.OpenAsync(await _server.SignAsync("an image"), options);
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
