using System;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>The path of a fault allocates nothing.</summary>
public abstract class AllocationTests(IMemoryEngine engine) : PagerTests(engine)
{
    [Theory(Timeout = 120_000)]
    [InlineData(RegionKind.PrivateImage)]
    [InlineData(RegionKind.Copied)]
    public async Task Load_TenThousandFaults_AllocateNothing(RegionKind kind)
    {
        await Task.Yield();
        const int Warm = 2000;
        const int Measured = 10_000;
        using FilePageStore store = new(MakeFile((Warm + Measured) * (long)Page));
        Pager pager = NewPager(new PagerOptions { LoadBytes = 4096, NeighbourPages = 1, SequentialWindowBytes = 4096 });
        TestClient client = NewClient(pager, pager.OpenImage(store, ownership: StoreOwnership.Caller), kind);
        Touch(client, 0, Warm);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        Touch(client, Warm, Measured);
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        client.Counts(Warm + Measured, static s => s.Faults);

        // What is left is the test host's own; one object for each fault would be 240,000 bytes.
        Assert.InRange(allocated, 0, 60_000);
    }

    private static void Touch(TestClient client, int first, int count)
    {
        for (int page = first; page < first + count; page++)
        {
            if (!client.Access.Load(client.At((ulong)page * Page), out ulong value).IsOk || value != (ulong)page + 1)
            {
                Assert.Fail($"Page {page} reads as {value}.");
            }
        }
    }

    private static Microsoft.Win32.SafeHandles.SafeFileHandle MakeFile(long length)
    {
        string path = System.IO.Path.GetTempFileName();
        System.IO.File.SetAttributes(path, System.IO.FileAttributes.Temporary);
        Microsoft.Win32.SafeHandles.SafeFileHandle file = System.IO.File.OpenHandle(
            path, System.IO.FileMode.Open, System.IO.FileAccess.ReadWrite, System.IO.FileShare.ReadWrite, System.IO.FileOptions.DeleteOnClose);
        byte[] page = new byte[Page];
        for (long offset = 0; offset < length; offset += (long)Page)
        {
            BitConverter.TryWriteBytes(page, (ulong)(offset / (long)Page) + 1);
            System.IO.RandomAccess.Write(file, page, offset);
        }

        return file;
    }
}
