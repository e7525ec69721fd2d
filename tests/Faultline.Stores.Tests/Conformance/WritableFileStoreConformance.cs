using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores.Tests;

/// <summary>A plain file that may be written to as well.</summary>
[ConformanceOf(typeof(WritableFilePageStore))]
public sealed class WritableFileStoreConformance : StoreConformance
{
    protected override Task<IPageStore> OpenAsync(byte[] contents) =>
        Task.FromResult<IPageStore>(new WritableFilePageStore(Folder.File("plain.img", contents)));
}
