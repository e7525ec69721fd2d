using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>
/// The rule about the garbage collector, shown: a managed load of registered memory deadlocks the process with its own collector; leases
/// and the access type do not. In processes of
/// their own, with deadlines. The deadlock is seen as six seconds of silence, which a starved process would show too.
/// </summary>
public sealed class CollectionSafetyOnLinux
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(180);

    [Fact(Timeout = 200_000)]
    public async Task PlainLoad_WithoutCollections_Ends()
    {
        (bool ended, string output) = await RunAsync(ReadingWay.PlainLoad, collects: false, pages: 20_000, Deadline);
        Assert.True(ended, output);
        Assert.Contains("done 20000", output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task PlainLoad_UnderCollections_HangsTheProcess()
    {
        using Process process = CollectionProgram.Start(ReadingWay.PlainLoad, collects: true, pages: 1_000_000);
        string? last = null;
        try
        {
            while (true)
            {
                using CancellationTokenSource silence = new(Silence);
                last = await process.StandardOutput.ReadLineAsync(silence.Token);
                Assert.True(last is not null && !last.StartsWith("done", StringComparison.Ordinal), "The process was expected to deadlock, and ended.");
            }
        }
        catch (OperationCanceledException)
        {
            // Five hundred pages take milliseconds; the process is there, and makes no progress at all.
            Assert.False(process.HasExited, last);
        }
        finally
        {
            process.Kill();
        }
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
