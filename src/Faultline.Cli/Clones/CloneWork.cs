using System;
using System.Diagnostics;
using System.Threading;
using Faultline.Cli.Images;
using Faultline.Cli.Patterns;
using Faultline.Cli.Processes;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Clones;

/// <summary>What a clone does, wherever it lives: warms up, visits its pages from the go-signal on, and is measured.</summary>
internal sealed class CloneWork(CloneJob job, CloneHome home, int[] pages, ulong[]? checksums, Action<CloneProgress> progress) : IDisposable
{
    private readonly ulong _seed = SeededRandom.Mix(job.Seed ^ ((ulong)(uint)job.Index << 32));
    private CloneMemory? _memory;
    private PageVisitor? _visitor;
    private long _faults;

    /// <summary>The pages a clone will touch, in order.</summary>
    public static int[] PagesOf(CloneJob job)
    {
        int imagePages = (int)(job.ImageBytes / PageChecksum.PageBytes);
        int[]? trace = job.Trace is null ? null : TraceFile.Read(job.Trace, imagePages);
        return PageSequence.Create(job.Pattern, imagePages, job.TouchPercent, job.Seed, job.Index, trace);
    }

    /// <summary>Goes once through everything that will be measured, on a small image.</summary>
    public void Rehearse()
    {
        ulong[]? known = Rehearsal.Checksums();
        long length = Rehearsal.Pages * PageChecksum.PageBytes;
        CloneMemory memory;
        if (job.Mode.HasPager())
        {
            memory = home.OpenRehearsal(job);
        }
        else
        {
            length = Math.Min(length, job.ImageBytes);
            known = checksums?[..(int)(length / PageChecksum.PageBytes)];
            memory = home.Open(job with { ImageBytes = length });
        }

        using (memory)
        {
            int count = (int)(length / PageChecksum.PageBytes);
            int[] sequence = PageSequence.Create(AccessPattern.Random, count, touchPercent: 100, job.Seed, job.Index, trace: null);
            var visitor = new PageVisitor(home.Access, memory, known, writePercent: 50, _seed);
            long before = home.CountFaults();
            visitor.Visit(sequence, Stopwatch.GetTimestamp(), progress: null);
            visitor.VerifyWritten();
            long faults = home.CountFaults() - before;
            _ = CloneMeter.Measure(memory, visitor, faults, home.Figures, wantsPageMap: false);
            if (visitor.Mismatch is { } mismatch)
            {
                throw new ToolException(ExitCode.Failed, "in the rehearsal, " + mismatch);
            }
        }
    }

    /// <summary>Visits all pages; the clock starts now.</summary>
    public CloneTimes Run(CancellationToken cancellation = default)
    {
        long start = Stopwatch.GetTimestamp();
        long before = home.CountFaults();
        _memory = home.Open(job);
        _visitor = new PageVisitor(home.Access, _memory, checksums, job.WritePercent, _seed);
        _visitor.Visit(pages, start, progress, cancellation);
        _faults = home.CountFaults() - before;
        progress(new CloneProgress(_visitor.TouchedCount, pages.Length));
        return new CloneTimes(_visitor.FirstByteMs, _visitor.DoneMs);
    }

    /// <summary>After <see cref="Run"/>, while all clones hold their memory.</summary>
    public CloneMeasurement Measure()
    {
        CloneMeasurement measurement = CloneMeter.Measure(_memory!, _visitor!, _faults, home.Figures, job.WantsPageMap);
        _visitor!.VerifyWritten();
        (long used, long unused) = job.Replay is { } set ? WorkingSetWork.Compare(set, _visitor.Touched) : default;
        return measurement with { Mismatch = _visitor.Mismatch, GuessedAndUsed = used, GuessedAndUnused = unused };
    }

    public void Dispose() => _memory?.Dispose();
}
