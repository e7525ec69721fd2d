using System;
using System.Diagnostics;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Cli.Output;
using Faultline.Stores;
using Spectre.Console;

namespace Faultline.Cli.Commands;

/// <summary>What the commands under <c>image</c> have in common: Ctrl-C, the progress bar, and what an error is told as.</summary>
internal sealed class ImageWork : IDisposable
{
    private readonly Interruption _interruption = new();
    private readonly long _begun = Stopwatch.GetTimestamp();

    private ImageWork(bool isJson)
    {
        IsJson = isJson;
        Console = PlainConsole.Create();
        Progress = new ProgressView(isJson ? null : Console);
    }

    public bool IsJson { get; }

    public IAnsiConsole Console { get; }

    public ProgressView Progress { get; }

    public CancellationToken Token => _interruption.Token;

    public double ElapsedMs => Stopwatch.GetElapsedTime(_begun).TotalMilliseconds;

    public static async Task<int> RunAsync(bool isJson, Func<ImageWork, Task<int>> work)
    {
        using var own = new ImageWork(isJson);
        try
        {
            return await work(own).ConfigureAwait(false);
        }
        catch (Exception e) when (own.Token.IsCancellationRequested)
        {
            throw new ToolException(own._interruption.ExitCode, "The work was interrupted; what it had begun to write was removed.", e);
        }
        catch (Exception e) when (e is ImageFormatException or IOException or UnauthorizedAccessException)
        {
            throw new ToolException(ExitCode.Failed, Sentence.OneLine(e.Message), e);
        }
    }

    public void Dispose() => _interruption.Dispose();
}
