using System.Threading.Tasks;
using Faultline.Linux;
using Faultline.PageServer;
using Faultline.Paging;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>An image as a client of the page server sees it: every read takes the faults, and the server brings the pages.</summary>
[ConformanceOf(typeof(ServedStore))]
public sealed class ServedStoreConformance : StoreConformance
{
    private readonly LinuxEngine _engine = new();
    private Pager? _pager;
    private ImageServer? _server;

    protected override Task<IPageStore> OpenAsync(byte[] contents)
    {
        Assert.SkipUnless(_engine.Capabilities.KernelFaults.IsAvailable, _engine.Capabilities.KernelFaults.Reason);
        _pager = new Pager(_engine);
        PagedImage image = _pager.OpenImage(new MemoryPageStore(contents), "served");
        _server = new ImageServer(_pager, image, Folder.File("socket"));
        return Task.FromResult<IPageStore>(new ServedStore(_engine, RemoteImage.Connect(_engine, Folder.File("socket"), "a client")));
    }

    protected override ValueTask CloseAsync()
    {
        _server?.Dispose();
        _pager?.Dispose();
        _engine.Dispose();
        return default;
    }
}
