using System;
using System.Diagnostics.Metrics;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>The path of a fault allocates nothing.</summary>
public abstract class AllocationTests(IMemoryEngine engine) : PagerTests(engine)
{
    private long _measurements;

    [Theory(Timeout = 200_000)]
    [InlineData(RegionKind.PrivateImage, false)]
    [InlineData(RegionKind.PrivateImage, true)]
    [InlineData(RegionKind.Copied, false)]
    [InlineData(RegionKind.Copied, true)]
    public async Task Load_TenThousandFaults_AllocateNothing(RegionKind kind, bool isMeasured)
    {
        await Task.Yield();
        using MeterListener? listener = isMeasured ? Listen() : null;
        const int Warm = 2000;
        const int Measured = 10_000;
        const int Rounds = 4;
        using FilePageStore store = new(MakeFile((Warm + (Rounds * Measured)) * (long)Page));
        Pager pager = NewPager(new PagerOptions { LoadBytes = 4096, NeighbourPages = 1, SequentialWindowBytes = 4096 });
        TestClient client = NewClient(pager, pager.OpenImage(store, ownership: StoreOwnership.Caller), kind);
        Touch(client, 0, Warm);
        long least = long.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            Touch(client, Warm + (round * Measured), Measured);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.Equal(isMeasured, Volatile.Read(ref _measurements) >= Rounds * Measured);
        client.Counts(Warm + (Rounds * Measured), static s => s.Faults);

        // The count is of the whole process, so the best round counts; one object for every ten faults would be 24,000 bytes.
        Assert.InRange(least, 0, 20_000);
    }

    /// <summary>Listens to every measurement, and allocates nothing itself.</summary>
    private MeterListener Listen()
    {
        MeterListener listener = new()
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == PagingTelemetry.MeterName)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => Interlocked.Increment(ref _measurements));
        listener.Start();
        return listener;
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
