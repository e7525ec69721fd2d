using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>
/// Everything that can go wrong, at once and by seed. In the end every access had the right bytes or a definite error, what recovers is served again, and
/// nothing is left behind. <c>FAULTLINE_CHAOS_SEEDS</c> is the number of seeds, <c>FAULTLINE_CHAOS_FIRST</c> the first of them.
/// </summary>
public abstract class ChaosTests(IMemoryEngine engine) : PagerTests(engine)
{
    private const int OrdinarySeeds = 8;

    private static readonly TimeSpan OneRun = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task Run_ManySeeds_RightBytesOrADefiniteError_AndNothingLeft()
    {
        Assert.SkipUnless(Engine.Capabilities.ManyAddressSpaces.IsAvailable, Engine.Capabilities.ManyAddressSpaces.Reason);
        Assert.SkipUnless(Engine.Capabilities.KernelFaults.IsAvailable, Engine.Capabilities.KernelFaults.Reason);
        string folder = Own(new TemporaryFolder()).Path;
        ChaosImage image = await ChaosImage.CreateAsync(1 << 20, folder);
        int first = Number("FAULTLINE_CHAOS_FIRST", 1);
        int seeds = Number("FAULTLINE_CHAOS_SEEDS", OrdinarySeeds);
        long right = 0;
        long errors = 0;
        long troubles = 0;

        // The first run makes what is made once: the process that forks address spaces, threads of the pool.
        await RunAsync(image, folder, first);
        var before = Leftovers.Count(Engine);
        for (int seed = first; seed < first + seeds; seed++)
        {
            ChaosRun run = await RunAsync(image, folder, seed);
            right += run.Verdict.Right;
            errors += run.Verdict.Errors;
            troubles += run.Troubles;
            string left = string.Empty;
            for (int i = 0; i < 500 && (left = Leftovers.Count(Engine).Beyond(before)).Length != 0; i++)
            {
                Pause(10);
            }

            Assert.True(left.Length == 0, $"Seed {seed} left behind: {left}");
            Assert.Equal([], Directory.GetFiles(folder, "*snapshot*").Concat(Directory.GetFiles(folder, "*.tmp", SearchOption.AllDirectories)), StringComparer.Ordinal);
        }

        TestContext.Current.SendDiagnosticMessage($"{seeds} seeds: {right} answers right, {errors} definite errors, {troubles} troubles of the store.");
        Assert.True(right > 100 * seeds, $"Only {right} answers were right: the runs say little.");
        Assert.True(errors > 0 && troubles > 0, "Nothing went wrong: the runs say little.");
    }

    private static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : otherwise;

    private async Task<ChaosRun> RunAsync(ChaosImage image, string folder, int seed)
    {
        ChaosRun run = new(Engine, image, folder, seed);
        try
        {
            await run.BeginAsync();
            await run.WorkAsync(OneRun);
            if (!run.IsClosed)
            {
                run.AssertRecovered();
            }
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"FAULTLINE_CHAOS_FIRST={seed} FAULTLINE_CHAOS_SEEDS=1: {failure.Message}", failure);
        }
        finally
        {
            await Task.Run(run.Dispose).WaitAsync(OneRun);
        }

        Assert.True(run.Verdict.Wrong.Count == 0, $"Seed {seed}: {string.Join("; ", run.Verdict.Wrong.Take(5))}");
        return run;
    }
}
