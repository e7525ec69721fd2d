using System.IO;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores.Tests;

/// <summary>The same web server behind encryption, with a certificate that only this test trusts.</summary>
[ConformanceOf(typeof(HttpPageStore))]
public sealed class HttpsStoreConformance : BreakableStoreConformance
{
    private NginxServer? _server;

    protected override async Task<IPageStore> OpenAsync(byte[] contents)
    {
        _server = await NginxServer.StartAsync(Folder.Path);
        await File.WriteAllBytesAsync(Path.Combine(_server.Files, "image"), contents);
        var options = new RemoteStoreOptions
        {
            Deadline = System.TimeSpan.FromSeconds(8),
            AttemptTimeout = System.TimeSpan.FromSeconds(5),
            RequestBytes = 64 << 10,
            TrustedAuthorities = _server.Authorities,
        };
        return await HttpPageStore.OpenAsync(_server.SecureAddressOf("image"), options);
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
