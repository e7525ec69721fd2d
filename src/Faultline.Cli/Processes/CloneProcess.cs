using System;
using System.Diagnostics;
using Faultline.Cli.Clones;
using Faultline.Cli.Images;
using Faultline.Cli.Patterns;
using Faultline.Cli.Restore;
using Faultline.Linux;
using Faultline.PageServer;

namespace Faultline.Cli.Processes;

/// <summary>One clone: warms up, waits for the go-signal, visits its pages, is measured, and ends.</summary>
internal static class CloneProcess
{
    public static int Run(ParentLink link)
    {
        CloneJob job = link.ReceiveJob(ProcessJson.Default.CloneJob, static job => job.RunFolder);
        ulong[]? checksums = job.Verify ? ImageFile.ReadChecksums(RunFolder.ChecksumsOf(job.RunFolder)) : null;
        int imagePages = (int)(job.ImageBytes / PageChecksum.PageBytes);
        int[]? trace = job.Trace is null ? null : TraceFile.Read(job.Trace, imagePages);
        int[] pages = PageSequence.Create(job.Pattern, imagePages, job.TouchPercent, job.Seed, job.Index, trace);
        using var engine = new LinuxEngine();
        using IMemoryAccess access = engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("opening the access to the own memory");
        Rehearse(job, engine, access, checksums);
        link.Send(new ChildMessage { IsReady = true });
        link.Await(RunWord.Go);

        long start = Stopwatch.GetTimestamp();
        long faultsBefore = ProcessFigures.FaultsOfThisThread();
        using CloneMemory memory = Open(job, engine);
        var visitor = new PageVisitor(access, memory, checksums, job.WritePercent, VisitorSeed(job));
        visitor.Visit(pages, start, link);
        long faults = ProcessFigures.FaultsOfThisThread() - faultsBefore;
        link.Send(new ChildMessage { Progress = new CloneProgress(visitor.TouchedCount, pages.Length) });
        link.Send(new ChildMessage { Done = new CloneTimes(visitor.FirstByteMs, visitor.DoneMs) });
        link.Await(RunWord.Measure);

        CloneMeasurement measurement = CloneMeter.Measure(engine, memory, visitor, faults, job.WantsPageMap);
        visitor.VerifyWritten();
        link.Send(new ChildMessage { Measured = measurement with { Mismatch = visitor.Mismatch } });
        link.Await(RunWord.Finish);
        return ExitCode.Done;
    }

    private static ulong VisitorSeed(CloneJob job) => SeededRandom.Mix(job.Seed ^ ((ulong)(uint)job.Index << 32));

    private static CloneMemory Open(CloneJob job, LinuxEngine engine) => job.Mode switch
    {
        RestoreMode.Eager => new EagerCloneMemory(engine, job.Image, job.ImageBytes),
        RestoreMode.Mmap => new MappedFileCloneMemory(engine, job.Image, job.ImageBytes),
        _ => OpenPaged(job, engine, RunFolder.SocketOf(job.RunFolder)),
    };

    private static PagedCloneMemory OpenPaged(CloneJob job, LinuxEngine engine, string socket)
    {
        RemoteMapping mapping = job.Mode == RestoreMode.Copy ? RemoteMapping.Copied : RemoteMapping.Private;
        return new PagedCloneMemory(engine, socket, CloneName.Of(job.Index), mapping);
    }

    /// <summary>Goes once through everything that will be measured, on a small image.</summary>
    private static void Rehearse(CloneJob job, LinuxEngine engine, IMemoryAccess access, ulong[]? checksums)
    {
        ulong[]? known = Rehearsal.Checksums();
        long length = Rehearsal.Pages * PageChecksum.PageBytes;
        CloneMemory memory;
        if (job.Mode.HasPager())
        {
            memory = OpenPaged(job, engine, RunFolder.RehearsalSocketOf(job.RunFolder));
        }
        else
        {
            length = Math.Min(length, job.ImageBytes);
            known = checksums?[..(int)(length / PageChecksum.PageBytes)];
            memory = Open(job with { ImageBytes = length }, engine);
        }

        using (memory)
        {
            int count = (int)(length / PageChecksum.PageBytes);
            int[] pages = PageSequence.Create(AccessPattern.Random, count, touchPercent: 100, job.Seed, job.Index, trace: null);
            var visitor = new PageVisitor(access, memory, known, writePercent: 50, VisitorSeed(job));
            long before = ProcessFigures.FaultsOfThisThread();
            visitor.Visit(pages, Stopwatch.GetTimestamp(), link: null);
            visitor.VerifyWritten();
            long faults = ProcessFigures.FaultsOfThisThread() - before;
            _ = CloneMeter.Measure(engine, memory, visitor, faults, wantsPageMap: false);
            if (visitor.Mismatch is { } mismatch)
            {
                throw new ToolException(ExitCode.Failed, "in the rehearsal, " + mismatch);
            }
        }
    }
}
