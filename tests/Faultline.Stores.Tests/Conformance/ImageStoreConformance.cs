using System.IO;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores.Tests;

/// <summary>An image whose file can break.</summary>
public abstract class ImageStoreConformance : BreakableStoreConformance
{
    private FlakyStore? _file;

    protected abstract ImageWriterOptions Options { get; }

    protected override async Task<IPageStore> OpenAsync(byte[] contents)
    {
        string path = Folder.File("image.flt");
        await ImageBuilder.CreateAsync(new MemoryPageStore(contents), path, Options);
        _file = new FlakyStore(await File.ReadAllBytesAsync(path));
        return await ImagePageStore.OpenAsync(_file, "image.flt");
    }

    protected override Task BreakAsync()
    {
        _file!.IsBroken = true;
        return Task.CompletedTask;
    }

    protected override Task RepairAsync()
    {
        _file!.IsBroken = false;
        return Task.CompletedTask;
    }
}
