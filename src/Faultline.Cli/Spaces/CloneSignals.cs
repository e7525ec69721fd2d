using System;
using System.Threading;
using Faultline.Cli.Processes;

namespace Faultline.Cli.Spaces;

/// <summary>The words of <see cref="RunWord"/>, for all clones of a run at once.</summary>
internal sealed class CloneSignals : IDisposable
{
    private readonly ManualResetEventSlim _go = new();
    private readonly ManualResetEventSlim _measure = new();
    private readonly ManualResetEventSlim _finish = new();
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Cancelled when the run is not wanted any more.</summary>
    public CancellationToken Stopped => _stop.Token;

    public void Tell(string word) => Find(word).Set();

    /// <summary>Waits for a word.</summary>
    /// <exception cref="OperationCanceledException">It will not be said any more.</exception>
    public void Await(string word) => Find(word).Wait(_stop.Token);

    public void Stop() => _stop.Cancel();

    public void Dispose()
    {
        _go.Dispose();
        _measure.Dispose();
        _finish.Dispose();
        _stop.Dispose();
    }

    private ManualResetEventSlim Find(string word) => word switch
    {
        RunWord.Go => _go,
        RunWord.Measure => _measure,
        RunWord.Finish => _finish,
        _ => throw new ArgumentOutOfRangeException(nameof(word), word, "No such word."),
    };
}
