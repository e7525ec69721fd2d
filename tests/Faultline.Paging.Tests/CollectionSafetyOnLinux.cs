using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>
/// The rule about the garbage collector, shown: a process whose managed code takes a userfault deadlocks with its own collector; leases and the access
/// type do not. In processes of their own, with deadlines.
/// </summary>
/// <remarks>
/// The collector stops a thread with a signal, which also ends the kernel's wait for the page; the thread can be held where it is if the runtime can
/// stop its code at that very instruction (loops without calls; unoptimised code), and goes back to waiting if it cannot. So what hangs is a matter
/// of the shape of the code, and no program should depend on it.
/// </remarks>
public sealed class CollectionSafetyOnLinux
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(180);

    [Fact(Timeout = 200_000)]
    public async Task PlainLoad_WithoutCollections_Ends()
    {
        (bool ended, string output) = await RunAsync(ReadingWay.PlainLoad, collects: false, pages: 20_000, Deadline);
        Assert.True(ended, output);
        Assert.Contains("done 20000", output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 200_000)]
    public async Task PlainLoad_OneCollectionInsideTheLoad_NeverEnds()
    {
        using Process process = CollectionProgram.Start(ReadingWay.PlainLoad, collects: true, pages: 20_000);
        try
        {
            using CancellationTokenSource limit = new(Deadline);
            Assert.Equal(CollectionProgram.Collecting, await process.StandardOutput.ReadLineAsync(limit.Token));
            using CancellationTokenSource silence = new(Silence);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await process.StandardOutput.ReadLineAsync(silence.Token));
            Assert.False(process.HasExited);
        }
        finally
        {
            process.Kill();
        }
    }

    [Fact(Timeout = 200_000)]
    public async Task LoopOfLoads_ACollectionInsideEveryLoad_Ends()
    {
        (bool ended, string output) = await RunAsync(ReadingWay.LoopOfLoads, collects: true, pages: 5_000, Deadline);
        Assert.True(ended, output);
        Assert.Contains(CollectionProgram.Collected, output, StringComparison.Ordinal);
    }

    [Theory(Timeout = 200_000)]
    [InlineData(ReadingWay.Lease)]
    [InlineData(ReadingWay.Access)]
    [InlineData(ReadingWay.FaultingAccess)]
    public async Task SafeWay_HundredThousandPagesUnderCollections_Ends(ReadingWay way)
    {
        (bool ended, string output) = await RunAsync(way, collects: true, pages: 100_000, Deadline);
        Assert.True(ended, $"It did not end within {Deadline}: {output}");
        Assert.Contains("done 100000", output, StringComparison.Ordinal);
    }

    private static async Task<(bool Ended, string Output)> RunAsync(ReadingWay way, bool collects, int pages, TimeSpan deadline)
    {
        using Process process = CollectionProgram.Start(way, collects, pages);
        Task<string> output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        using CancellationTokenSource limit = new(deadline);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode == 0, await output);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            return (false, await output);
        }
    }
}
