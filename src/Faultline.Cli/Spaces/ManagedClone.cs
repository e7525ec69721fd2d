using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Cli.Clones;
using Faultline.Cli.Processes;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Spaces;

/// <summary>One clone as an address space of the managed engine, with a thread that lives in it.</summary>
internal sealed class ManagedClone : IRunClone
{
    private readonly ManagedStage _stage;
    private readonly CloneJob _job;
    private readonly ulong[]? _checksums;
    private readonly CloneSignals _signals;
    private readonly Thread _thread;
    private readonly TaskCompletionSource<bool> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<CloneTimes?> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<CloneMeasurement?> _measured = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile CloneProgress? _progress;
    private volatile string? _failure;
    private long _lastHeard = Stopwatch.GetTimestamp();

    public ManagedClone(ManagedStage stage, CloneJob job, ulong[]? checksums, CloneSignals signals)
    {
        _stage = stage;
        _job = job;
        _checksums = checksums;
        _signals = signals;
        _thread = new Thread(Live) { IsBackground = true, Name = CloneName.Of(job.Index) };
        _thread.Start();
    }

    public int ProcessId => Environment.ProcessId;

    /// <summary>True when it waits for the go-signal, false if it ended before.</summary>
    public Task<bool> Ready => _ready.Task;

    public CloneProgress? Progress => _progress;

    public Task<CloneTimes?> Done => _done.Task;

    public Task<CloneMeasurement?> Measured => _measured.Task;

    public TimeSpan Silence => Stopwatch.GetElapsedTime(Volatile.Read(ref _lastHeard));

    /// <summary>Completes when it has given back its memory.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Null, or one sentence: why it gave up.</summary>
    public string? Failure => _failure;

    private void Live()
    {
        try
        {
            Work();
        }
        catch (OperationCanceledException)
        {
            // The run is not wanted any more.
        }
        catch (ToolException e)
        {
            _failure = e.Message;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // As in a process of a run: a clone has no user to show a stack trace to, and the others go on.
            _failure = $"{e.GetType().Name}: {Sentence.OneLine(e.Message)}";
        }

        _ready.TrySetResult(false);
        _done.TrySetResult(null);
        _measured.TrySetResult(null);
        _ended.TrySetResult();
    }

    private void Work()
    {
        int[] pages = CloneWork.PagesOf(_job);
        using var home = new SpaceHome(_stage);
        using var work = new CloneWork(_job, home, pages, _checksums, Advance);
        work.Rehearse();
        _ready.TrySetResult(true);
        _signals.Await(RunWord.Go);
        _done.TrySetResult(work.Run(_signals.Stopped));
        _signals.Await(RunWord.Measure);
        _measured.TrySetResult(work.Measure());
        _signals.Await(RunWord.Finish);
    }

    private void Advance(CloneProgress progress)
    {
        _progress = progress;
        Volatile.Write(ref _lastHeard, Stopwatch.GetTimestamp());
    }
}
