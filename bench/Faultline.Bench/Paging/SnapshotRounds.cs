using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Bench;

/// <summary>Snapshots of memory that is written to, beside a bare call that protects as much.</summary>
internal sealed class SnapshotRounds(IMemoryEngine engine)
{
    private const ulong Bytes = 1UL << 30;
    private const double WrittenPerSecond = 0.1;
    private const int ChunkBytes = 1 << 20;

    private readonly byte[] _chunk = GC.AllocateUninitializedArray<byte>(ChunkBytes, pinned: true);

    /// <summary>Runs rounds of both, in turns.</summary>
    public async Task<SnapshotRow> RunAsync(int rounds, Action<string> progress, CancellationToken cancellation)
    {
        var range = new AddressRange(engine.Home.Map(MapRequest.PrivateAnonymous(Bytes)).OrThrow("mmap"), Bytes);
        try
        {
            engine.Home.Advise(range, Advice.PopulateWrite).OrThrow("MADV_POPULATE_WRITE", range);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            Task writing = Task.Factory.StartNew(
                () => Write(range, stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            try
            {
                return await Task.Run(() => MeasureAsync(range, rounds, progress, cancellation), CancellationToken.None);
            }
            finally
            {
                await stop.CancelAsync();
                await writing;
            }
        }
        finally
        {
            engine.Home.Unmap(range).OrThrow("munmap", range);
        }
    }

    private async Task<SnapshotRow> MeasureAsync(AddressRange range, int rounds, Action<string> progress, CancellationToken cancellation)
    {
        var pause = new List<double>();
        var bare = new List<double>();
        var read = new List<double>();
        var copied = new List<double>();
        for (int round = 0; round < rounds; round++)
        {
            progress($"snapshots: round {round + 1} of {rounds}");
            cancellation.ThrowIfCancellationRequested();
            bare.Add(ProtectBare(range));
            long begun = Stopwatch.GetTimestamp();
            using var snapshot = MemorySnapshot.Take(engine, engine.Home, range);
            pause.Add(snapshot.ProtectTime.TotalMilliseconds);
            for (ulong offset = 0; offset < Bytes; offset += ChunkBytes)
            {
                StoreRead chunk = await snapshot.ReadAsync(offset, _chunk, cancellation);
                if (!chunk.IsOk)
                {
                    throw new BenchmarkException($"The snapshot failed: {chunk.Cause!.Message}");
                }
            }

            read.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            copied.Add(snapshot.CopiedPages);
        }

        return new SnapshotRow(
            Bytes,
            WrittenPerSecond,
            Math.Round(ReplayRounds.Median(pause), 2),
            Math.Round(ReplayRounds.Median(bare), 2),
            Math.Round(ReplayRounds.Median(read), 1),
            ReplayRounds.Median(copied));
    }

    /// <summary>One call over the range, as it is; the writer waits until the context is closed again.</summary>
    private double ProtectBare(AddressRange range)
    {
        const UserfaultfdFeatures Features = UserfaultfdFeatures.PageFaultFlagWriteProtect | UserfaultfdFeatures.WriteProtectUnpopulated;
        using IUserfaultfd context = UserfaultfdHandshake.Open(engine.Home, Features).OrThrow("userfaultfd", range);
        new SystemResult(context.Register(range, RegisterModes.WriteProtect).Errno).OrThrow("UFFDIO_REGISTER", range);
        long begun = Stopwatch.GetTimestamp();
        context.WriteProtect(range, WriteProtectModes.Protect).OrThrow("UFFDIO_WRITEPROTECT", range);
        return Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
    }

    /// <summary>Writes to pages in a random order, as many a second as were asked for, a hundredth of a second's worth at a time.</summary>
    private void Write(AddressRange range, CancellationToken stop)
    {
        using IMemoryAccess access = engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor");
        const int Slices = 100;
        int pagesPerSlice = (int)(range.Pages.Value * WrittenPerSecond / Slices);
        var random = new Random(7);
        while (!stop.WaitHandle.WaitOne(1000 / Slices))
        {
            for (int i = 0; i < pagesPerSlice; i++)
            {
                access.Store(range.Start + ((ulong)random.NextInt64((long)range.Pages.Value) * PageSize.Small), (ulong)i);
            }
        }
    }
}
