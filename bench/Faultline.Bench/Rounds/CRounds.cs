using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Bench;

/// <summary>Rounds of the bare C handler, in a process of its own that takes one round a line.</summary>
internal sealed class CRounds : IRounds, IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    /// <summary>Starts the program.</summary>
    public CRounds(string program)
    {
        var start = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true };
        _process = Process.Start(start) ?? throw new BenchmarkException("The C handler did not start.");
    }

    /// <inheritdoc/>
    public async Task<RoundResult> RunAsync(RoundSpec spec, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Deadline);
        try
        {
            await _process.StandardInput.WriteLineAsync(Line(spec).AsMemory(), deadline.Token);
            await _process.StandardInput.FlushAsync(deadline.Token);
            string answer = await _process.StandardOutput.ReadLineAsync(deadline.Token) ?? "error it ended";
            return Parse(answer);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new BenchmarkException($"The C handler did not finish the round \"{Line(spec)}\" in {Deadline.TotalSeconds:0} seconds.");
        }
        catch (IOException broken)
        {
            throw new BenchmarkException($"The C handler is gone: {broken.Message}");
        }
    }

    /// <summary>Ends the program.</summary>
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private static string Line(RoundSpec spec)
    {
        string kind = spec.Kind switch
        {
            RoundKind.Copy => "copy",
            RoundKind.Continue => "continue",
            _ => "faultaround",
        };
        string style = spec.Style == ReadStyle.Polling ? "polling" : "blocking";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{kind} {style} {spec.Pages} {spec.Range} {spec.Placement.FaultingCpu} {spec.Placement.HandlerCpu}");
    }

    private static RoundResult Parse(string answer)
    {
        string[] words = answer.Split(' ');
        return words is ["ok", _, _]
            ? new RoundResult(long.Parse(words[1], CultureInfo.InvariantCulture), long.Parse(words[2], CultureInfo.InvariantCulture), 0)
            : throw new BenchmarkException($"The C handler failed: {answer}");
    }
}
