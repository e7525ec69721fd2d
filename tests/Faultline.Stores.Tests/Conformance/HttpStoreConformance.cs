using System;
using System.IO;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores.Tests;

/// <summary>A real web server, which is killed and started again.</summary>
[ConformanceOf(typeof(HttpPageStore))]
public sealed class HttpStoreConformance : BreakableStoreConformance
{
    private NginxServer? _server;

    protected override async Task<IPageStore> OpenAsync(byte[] contents)
    {
        _server = await NginxServer.StartAsync(Folder.Path);
        await File.WriteAllBytesAsync(Path.Combine(_server.Files, "image"), contents);
        var options = new RemoteStoreOptions { Deadline = TimeSpan.FromSeconds(8), AttemptTimeout = TimeSpan.FromSeconds(5), RequestBytes = 64 << 10 };
        return await HttpPageStore.OpenAsync(_server.AddressOf("image"), options);
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
