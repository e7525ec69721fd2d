using Faultline.Cli.Clones;
using Faultline.Cli.Images;

namespace Faultline.Cli.Processes;

/// <summary>One clone as a process: warms up, waits for the go-signal, visits its pages, is measured, and ends.</summary>
internal static class CloneProcess
{
    public static int Run(ParentLink link)
    {
        CloneJob job = link.ReceiveJob(ProcessJson.Default.CloneJob, static job => job.RunFolder);
        ulong[]? checksums = job.Verify ? ImageFile.ReadChecksums(RunFolder.ChecksumsOf(job.RunFolder)) : null;
        int[] pages = CloneWork.PagesOf(job);
        using var home = new ProcessHome();
        using var work = new CloneWork(job, home, pages, checksums, progress => link.Send(new ChildMessage { Progress = progress }));
        work.Rehearse();
        link.Send(new ChildMessage { IsReady = true });
        link.Await(RunWord.Go);
        link.Send(new ChildMessage { Done = work.Run() });
        link.Await(RunWord.Measure);
        link.Send(new ChildMessage { Measured = work.Measure() });
        link.Await(RunWord.Finish);
        return ExitCode.Done;
    }
}
