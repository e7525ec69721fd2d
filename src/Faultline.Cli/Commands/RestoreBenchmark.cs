using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Bench;
using Faultline.Cli.Images;
using Faultline.Cli.Json;
using Faultline.Cli.Output;
using Faultline.Cli.Processes;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Commands;

/// <summary>
/// <c>faultline bench restore</c>: the processes of <c>faultline restore</c>, on a sample image. In each round the ways come one after
/// another, so that what disturbs the machine disturbs all of them alike.
/// </summary>
internal sealed class RestoreBenchmark(IMemoryEngine engine, int rounds, Action<string> progress)
{
    private const long ImageBytes = 512L << 20;
    private const int Clones = 8;

    public async Task<RestoreReport> RunAsync(CancellationToken cancellation)
    {
        var machine = MachineFacts.Look();
        using var folder = new RunFolder();
        string image = Path.Combine(folder.Path, "sample.img");
        progress("packing files of this machine into a sample image");
        SampleImage.Create(image, ImageBytes, cancellation);
        progress("a second clone after the first one");
        long secondCloneStoreBytes = SecondClone.MeasureStoreBytes(engine, image, cancellation);

        var documents = new List<RestoreDocument>();
        var oneReader = new List<RunDocument>();
        for (int round = 1; round <= rounds; round++)
        {
            progress($"round {round} of {rounds}: {Clones} clones in four ways");
            documents.Add(await RestoreAsync(image, Clones, [RestoreMode.Copy, RestoreMode.Eager, RestoreMode.Mmap], cancellation).ConfigureAwait(false));
            progress($"round {round} of {rounds}: one eager reader");
            RestoreDocument one = await RestoreAsync(image, 1, [RestoreMode.Eager], cancellation).ConfigureAwait(false);
            oneReader.Add(one.Compare.Eager!);
        }

        string? failure = documents.SelectMany(static document => document.Failures).FirstOrDefault();
        return failure is not null ? throw new BenchmarkException(failure) : new RestoreReport
        {
            Machine = machine,
            Rounds = rounds,
            Verified = documents.All(static document => document.Verified),
            Clones = Clones,
            ImageBytes = documents[0].ImageBytes,
            Main = Row(documents),
            Compare = new RestoreComparisons(
                Row(documents.Select(static document => document.Compare.Copy!)),
                Row(documents.Select(static document => document.Compare.Eager!)),
                Row(documents.Select(static document => document.Compare.Mmap!))),
            OneEagerReaderMs = Median(oneReader.Select(static run => run.TimeToFirstByteMs)),
            SecondCloneStoreBytes = secondCloneStoreBytes,
        };
    }

    private static async Task<RestoreDocument> RestoreAsync(string image, int clones, IReadOnlyList<RestoreMode> compare, CancellationToken cancellation)
    {
        using var folder = new RunFolder();
        var options = new RestoreOptions { ImagePath = image, Clones = clones, Verify = true, Compare = compare };
        return await RestoreSession.RunAsync("bench restore", options, folder, new RunView(null), cancellation).ConfigureAwait(false);
    }

    private static RestoreRow Row(IEnumerable<RunDocument> runs)
    {
        RunDocument[] all = [.. runs];
        return new RestoreRow(
            all[0].Clones,
            (long)Median(all.Select(static run => (double)run.TotalPssBytes)),
            Median(all.Select(static run => run.TimeToFirstByteMs)),
            Median(all.Select(static run => run.TimeToDoneMs)),
            (long)Median(all.Select(static run => (double)run.StoreBytes)),
            (long)Median(all.Select(static run => (double)run.MinorFaults)),
            (long)Median(all.Select(static run => (double)run.MissingFaults)));
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return Math.Round(sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2, 3);
    }
}
