using System;
using System.ComponentModel;
using System.Diagnostics;
using System.IO;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Tasks;
using Faultline.Cli.Json;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Processes;

/// <summary>
/// A process of a run, seen from the tool: this program started again. What it says completes the tasks here; a task whose message can no longer come
/// completes with null.
/// </summary>
internal sealed class ChildProcess : IRunClone, IAsyncDisposable
{
    private static readonly TimeSpan GraceTime = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly Task _reading;
    private readonly Task<string> _errors;
    private readonly TaskCompletionSource<bool> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<CloneTimes?> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<CloneMeasurement?> _measured = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<PagerReport?> _lastReport = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<SnapshotDocument?> _saved = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile CloneProgress? _progress;
    private volatile PagerReport? _report;
    private volatile string? _failure;
    private long _lastHeard = Stopwatch.GetTimestamp();

    private ChildProcess(Process process)
    {
        _process = process;
        ProcessId = process.Id;
        _errors = process.StandardError.ReadToEndAsync();
        _reading = ReadAsync();
    }

    /// <summary>Its process id; valid after its end too.</summary>
    public int ProcessId { get; }

    /// <summary>True when it waits for the go-signal, false if it ended before.</summary>
    public Task<bool> Ready => _ready.Task;

    public Task<CloneTimes?> Done => _done.Task;

    public Task<CloneMeasurement?> Measured => _measured.Task;

    public Task<PagerReport?> LastReport => _lastReport.Task;

    public Task<SnapshotDocument?> Saved => _saved.Task;

    /// <summary>Completes when the process has ended and everything it said was read.</summary>
    public Task Ended => _reading;

    public CloneProgress? Progress => _progress;

    public PagerReport? Report => _report;

    /// <summary>When it last said anything.</summary>
    public TimeSpan Silence => Stopwatch.GetElapsedTime(System.Threading.Volatile.Read(ref _lastHeard));

    /// <exception cref="ToolException">The process cannot be started.</exception>
    public static ChildProcess Start(string kind)
    {
        string program = Environment.ProcessPath
            ?? throw new ToolException(ExitCode.Failed, "This program cannot find its own file to start its processes from.");
        var start = new ProcessStartInfo(program)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "faultline.dll"));
        }

        start.ArgumentList.Add(ChildCommand.Name);
        start.ArgumentList.Add(kind);
        try
        {
            return new ChildProcess(Process.Start(start)!);
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            throw new ToolException(ExitCode.Failed, $"A {kind} process could not be started: {Sentence.Of(e)}", e);
        }
    }

    public void SendJob<T>(T job, JsonTypeInfo<T> type) => Send(JsonSerializer.Serialize(job, type));

    public void Send(string line)
    {
        try
        {
            _process.StandardInput.WriteLine(line);
            _process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It is gone; the tasks say so.
        }
    }

    /// <summary>One sentence about how it ended, for a process that was not meant to end yet. Call after <see cref="Ended"/>.</summary>
    public async Task<string> ExplainEndAsync(string name)
    {
        if (_failure is { } failure)
        {
            return $"The {name} (process {ProcessId}) failed: {failure}";
        }

        await _process.WaitForExitAsync().ConfigureAwait(false);
        const int SignalBase = 128;
        int code = _process.ExitCode;
        string how = code > SignalBase ? $"was killed by signal {code - SignalBase}" : $"ended with exit code {code}";
        string errors = (await _errors.ConfigureAwait(false)).Trim();
        int lineEnd = errors.IndexOf('\n', StringComparison.Ordinal);
        string firstLine = lineEnd < 0 ? errors : errors[..lineEnd].TrimEnd();
        return $"The {name} (process {ProcessId}) {how} before it was done{(firstLine.Length == 0 ? "." : ": " + firstLine)}";
    }

    /// <summary>Ends the process: kindly if it was told to finish, else at once. Returns when it is gone.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // Unsent words do not matter any more.
        }

        try
        {
            await _process.WaitForExitAsync().WaitAsync(GraceTime).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Kill();
        }

        await _reading.ConfigureAwait(false);
        _process.Dispose();
    }

    public void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It had ended already.
        }
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            System.Threading.Volatile.Write(ref _lastHeard, Stopwatch.GetTimestamp());
            Take(line);
        }

        await _process.WaitForExitAsync().ConfigureAwait(false);
        _ready.TrySetResult(false);
        _done.TrySetResult(null);
        _measured.TrySetResult(null);
        _lastReport.TrySetResult(null);
        _saved.TrySetResult(null);
    }

    private void Take(string line)
    {
        try
        {
            if (JsonSerializer.Deserialize(line, ProcessJson.Default.ChildMessage) is { } message)
            {
                Take(message);
            }
        }
        catch (JsonException)
        {
            // The last words of a process that was killed may be cut short.
        }
    }

    private void Take(ChildMessage message)
    {
        _progress = message.Progress ?? _progress;
        _failure ??= message.Failure;
        if (message.IsReady == true)
        {
            _ready.TrySetResult(true);
        }

        if (message.Done is { } done)
        {
            _done.TrySetResult(done);
        }

        if (message.Measured is { } measured)
        {
            _measured.TrySetResult(measured);
        }

        if (message.Saved is { } saved)
        {
            _saved.TrySetResult(saved);
        }

        if (message.Pager is { } report)
        {
            _report = report;
            if (report.IsLast)
            {
                _lastReport.TrySetResult(report);
            }
        }
    }
}
