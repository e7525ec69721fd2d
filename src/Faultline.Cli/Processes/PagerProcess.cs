using System;
using System.Globalization;
using System.Linq;
using Faultline.Cli.Clones;
using Faultline.Cli.Images;
using Faultline.Cli.Restore;
using Faultline.Cli.Telemetry;
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
        var options = new PagerOptions { Name = RunTelemetry.PagerName, HandlerThreads = job.Handlers };
        using var engine = new LinuxEngine();

        // The rehearsal has a pager of its own, so that its faults are in none of the numbers.
        using var rehearsalPager = new Pager(engine, options with { Name = RunTelemetry.RehearsalName });
        using PagedImage rehearsalImage = rehearsalPager.OpenImage(new MemoryPageStore(Rehearsal.Image()), "rehearsal");
        using var rehearsalServer = new ImageServer(rehearsalPager, rehearsalImage, RunFolder.RehearsalSocketOf(job.RunFolder));

        using var telemetry = new RunTelemetry(job, ToolStores.NameOf(job.Image));
        using var pager = new Pager(engine, options);
        using var cache = ToolCache.Open(job.CacheFolder, job.CacheBytes);
        IPageStore store = ToolStores.Open(job.Image, cache);
        using PagedImage image = pager.OpenImage(store, ToolStores.NameOf(job.Image));
        image.TraceContext = telemetry.Trace;
        using var workingSet = new WorkingSetWork(image, job);
        using var server = new ImageServer(pager, image, RunFolder.SocketOf(job.RunFolder));
        link.Send(new ChildMessage { IsReady = true });

        string? command;
        while ((command = link.TryReceive(ReportInterval)) is null)
        {
            link.Send(new ChildMessage { Pager = PagerReports.Of(pager, server.Clients, job.Clones) with { Metrics = telemetry.Read() } });
        }

        Expect(RunWord.Measure, command);
        long imagePss = ProcessFigures.PssOfMemoryFile(image.Name);
        long processPss = ProcessFigures.Of(Environment.ProcessId).PssBytes;
        if (job.Snapshot is { } snapshot)
        {
            int processId = ProcessOf(link.Take());
            PagerClient? first = server.Clients.FirstOrDefault(static client => CloneName.Parse(client.Name) == 0);
            using IAddressSpace space = LinuxEngine.Observe(processId);
            link.Send(new ChildMessage
            {
                Saved = first is null ? SnapshotWork.Missing(snapshot) : SnapshotWork.Save(first, space, store, job.Image, snapshot),
            });
        }

        link.Await(RunWord.Finish);
        link.Send(new ChildMessage
        {
            Pager = PagerReports.Of(pager, server.Clients, job.Clones) with
            {
                IsLast = true,
                WorkingSet = workingSet.Finish(),
                Metrics = telemetry.Read(),
                NotSent = telemetry.Finish(),
                Latencies = PagerReports.Bars(pager.GetStatistics().Latency),
                ImagePssBytes = imagePss,
                ProcessPssBytes = processPss,
                Mismatch = CachedImageCheck.FindChange(image.File, RunFolder.ChecksumsOf(job.RunFolder)),
            },
        });
        return ExitCode.Done;
    }

    private static int ProcessOf(string command) =>
        command.StartsWith(RunWord.Save + " ", StringComparison.Ordinal)
        && int.TryParse(command.AsSpan(RunWord.Save.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int process)
            ? process
            : throw new ToolException(ExitCode.Failed, $"'{RunWord.Save}' was expected from the tool, and '{command}' came.");

    private static void Expect(string command, string received)
    {
        if (received != command)
        {
            throw new ToolException(ExitCode.Failed, $"'{command}' was expected from the tool, and '{received}' came.");
        }
    }
}
