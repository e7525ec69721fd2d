using System.IO;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores.Tests;

/// <summary>Three layers, the lowest of which can break.</summary>
[ConformanceOf(typeof(ImagePageStore))]
public sealed class LayerConformance : BreakableStoreConformance
{
    private FlakyStore? _lowest;

    protected override async Task<IPageStore> OpenAsync(byte[] contents)
    {
        string path = Folder.File("0.flt");
        var options = new ImageWriterOptions { ChunkBytes = 16 << 10 };
        await ImageBuilder.CreateAsync(new MemoryPageStore(Sample.Changed(contents, 1)), path, options);
        _lowest = new FlakyStore(await File.ReadAllBytesAsync(path));
        ImagePageStore image = await ImagePageStore.OpenAsync(_lowest, "0.flt");
        for (int layer = 1; layer <= 2; layer++)
        {
            byte[] state = layer == 2 ? contents : Sample.Changed(contents, 2);
            path = Folder.File($"{layer}.flt");
            options = new ImageWriterOptions { Base = image, BaseName = $"{layer - 1}.flt" };
            await ImageBuilder.CreateAsync(new MemoryPageStore(state), path, options);
            ImagePageStore below = image;
            image = await ImagePageStore.OpenAsync(new FilePageStore(path), $"{layer}.flt", (_, _) => Task.FromResult(below));
        }

        return image;
    }

    protected override Task BreakAsync()
    {
        _lowest!.IsBroken = true;
        return Task.CompletedTask;
    }

    protected override Task RepairAsync()
    {
        _lowest!.IsBroken = false;
        return Task.CompletedTask;
    }
}
