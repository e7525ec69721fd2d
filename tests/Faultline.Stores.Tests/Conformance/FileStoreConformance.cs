using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores.Tests;

/// <summary>A plain file.</summary>
[ConformanceOf(typeof(FilePageStore))]
public sealed class FileStoreConformance : StoreConformance
{
    protected override Task<IPageStore> OpenAsync(byte[] contents) => Task.FromResult<IPageStore>(new FilePageStore(Folder.File("plain.img", contents)));
}
