using System;
using System.Threading;
using Faultline.Paging;

namespace Faultline.Bench;

/// <summary>A recorder of the image's working set: every touch is noted.</summary>
internal sealed class RecordingRounds(IMemoryEngine engine) : PairedRounds(engine, "recording")
{
    /// <summary>Runs rounds with a recorder and without.</summary>
    public RecordingRow Run(int rounds, Action<string> progress, CancellationToken cancellation)
    {
        PairedMedians medians = RunPairs(rounds, progress, cancellation);
        return new RecordingRow(Pages, medians.WithoutUs, medians.WithUs, medians.Ratio);
    }

    protected override double Measure(bool isWith)
    {
        using Pager pager = OpenPager();
        using PagedMemory memory = Map(pager);
        using WorkingSetRecorder? recorder = isWith ? memory.Image.Record() : null;
        double microseconds = Touch(memory);

        // A handler writes the last touches down while the thread runs on.
        bool isComplete = recorder is null || SpinWait.SpinUntil(() => recorder.ToWorkingSet().Touches.Count == Pages, TimeSpan.FromSeconds(5));
        return isComplete ? microseconds : throw new BenchmarkException($"{recorder!.ToWorkingSet().Touches.Count} touches were recorded, of {Pages}.");
    }
}
