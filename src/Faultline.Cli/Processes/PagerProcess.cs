using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Numerics;
using Faultline.Cli.Clones;
using Faultline.Cli.Images;
using Faultline.Cli.Restore;
using Faultline.Linux;
using Faultline.PageServer;
using Faultline.Paging;

namespace Faultline.Cli.Processes;

/// <summary>The pager of a run: serves the image to all clones until it is told to finish, and reports what it does.</summary>
internal static class PagerProcess
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(100);

    public static int Run(ParentLink link)
    {
        PagerJob job = link.ReceiveJob(ProcessJson.Default.PagerJob, static job => job.RunFolder);
        var options = new PagerOptions { HandlerThreads = job.Handlers };
        using var engine = new LinuxEngine();

        // The rehearsal has a pager of its own, so that its faults are in none of the numbers.
        using var rehearsalPager = new Pager(engine, options);
        using PagedImage rehearsalImage = rehearsalPager.OpenImage(new MemoryPageStore(Rehearsal.Image()), "rehearsal");
        using var rehearsalServer = new ImageServer(rehearsalPager, rehearsalImage, RunFolder.RehearsalSocketOf(job.RunFolder));

        using var pager = new Pager(engine, options);
        using PagedImage image = pager.OpenImage(new FilePageStore(job.Image), Path.GetFileName(job.Image));
        using var server = new ImageServer(pager, image, RunFolder.SocketOf(job.RunFolder));
        link.Send(new ChildMessage { IsReady = true });

        string? command;
        while ((command = link.TryReceive(ReportInterval)) is null)
        {
            link.Send(new ChildMessage { Pager = Report(pager, server, job.Clones) });
        }

        Expect(RunWord.Measure, command);
        long imagePss = ProcessFigures.PssOfMemoryFile(image.Name);
        long processPss = ProcessFigures.Of(Environment.ProcessId).PssBytes;
        link.Await(RunWord.Finish);
        link.Send(new ChildMessage
        {
            Pager = Report(pager, server, job.Clones) with
            {
                IsLast = true,
                Latencies = Bars(pager.GetStatistics().Latency),
                ImagePssBytes = imagePss,
                ProcessPssBytes = processPss,
                Mismatch = CachedImageCheck.FindChange(image.File, RunFolder.ChecksumsOf(job.RunFolder)),
            },
        });
        return ExitCode.Done;
    }

    private static void Expect(string command, string received)
    {
        if (received != command)
        {
            throw new ToolException(ExitCode.Failed, $"'{command}' was expected from the tool, and '{received}' came.");
        }
    }

    private static PagerReport Report(Pager pager, ImageServer server, int clones)
    {
        long[] minor = new long[clones];
        long[] missing = new long[clones];
        long[] installed = new long[clones];
        foreach (PagerClient client in server.Clients)
        {
            int clone = CloneName.Parse(client.Name);
            if (clone >= 0 && clone < clones)
            {
                PagerStatistics own = client.GetStatistics();
                minor[clone] = own.MinorFaults;
                missing[clone] = own.MissingFaults;
                installed[clone] = own.PagesContinued + own.PagesCopied + own.PagesZeroed;
            }
        }

        PagerStatistics all = pager.GetStatistics();
        return new PagerReport
        {
            IsLast = false,
            MinorFaults = minor.Sum(),
            MissingFaults = missing.Sum(),
            StoreBytes = all.StoreBytes,
            StoreReads = all.StoreReads,
            CloneMinorFaults = minor,
            CloneMissingFaults = missing,
            CloneInstalledPages = installed,
            LatencyCount = all.Latency.Count,
            P50Us = all.Latency.P50 / 1000.0,
            P99Us = all.Latency.P99 / 1000.0,
            MaxUs = all.Latency.Max / 1000.0,
        };
    }

    /// <summary>One bar for each doubling, without gaps.</summary>
    private static List<LatencyBucket> Bars(LatencySnapshot latency)
    {
        var counts = new SortedDictionary<int, long>();
        foreach ((long longest, long count) in latency.Buckets())
        {
            int doubling = BitOperations.Log2((ulong)Math.Max(longest, 1));
            counts[doubling] = counts.GetValueOrDefault(doubling) + count;
        }

        var bars = new List<LatencyBucket>();
        if (counts.Count > 0)
        {
            for (int doubling = counts.Keys.First(); doubling <= counts.Keys.Last(); doubling++)
            {
                bars.Add(new LatencyBucket((1L << doubling) / 1000.0, (1L << (doubling + 1)) / 1000.0, counts.GetValueOrDefault(doubling)));
            }
        }

        return bars;
    }
}
