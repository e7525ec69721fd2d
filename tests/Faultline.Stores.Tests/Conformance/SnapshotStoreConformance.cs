using System.Threading.Tasks;
using Faultline.Paging;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>A snapshot of memory, every page of which has been written to since.</summary>
public abstract class SnapshotStoreConformance : StoreConformance
{
    private readonly IMemoryEngine _engine;
    private AddressRange _range;

    protected SnapshotStoreConformance(IMemoryEngine engine)
    {
        _engine = engine;
        Contents = Sample.Bytes((1 << 20) + (5 * 4096));
    }

    protected override async Task<IPageStore> OpenAsync(byte[] contents)
    {
        Assert.SkipUnless(_engine.Capabilities.KernelFaults.IsAvailable, _engine.Capabilities.KernelFaults.Reason);
        ulong length = (ulong)contents.Length;
        _range = new(_engine.Home.Map(MapRequest.PrivateAnonymous(length)).OrThrow("mmap"), length);
        using IMemoryAccess access = _engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor");
        Assert.True(access.Write(_range.Start, contents).IsOk);
        var snapshot = MemorySnapshot.Take(_engine, _engine.Home, _range, new MemorySnapshotOptions { ReadOnce = false });
        await Task.Run(() =>
        {
            for (ulong page = 0; page < length / PageSize.Small; page++)
            {
                Assert.True(access.Store(_range.Start + (page * PageSize.Small), 0xBAD).IsOk);
            }
        }).WaitAsync(Reading.Deadline);
        return snapshot;
    }

    protected override ValueTask CloseAsync()
    {
        if (_range.Length != 0)
        {
            _engine.Home.Unmap(_range).OrThrow("munmap", _range);
        }

        _engine.Dispose();
        return default;
    }
}
