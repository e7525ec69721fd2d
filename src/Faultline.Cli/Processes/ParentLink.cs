using System;
using System.Collections.Concurrent;
using System.IO;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading;

namespace Faultline.Cli.Processes;

/// <summary>
/// A child's line to the tool: commands come in on standard input, messages go out on standard output. When the tool is gone, however it went, its end of
/// the pipe closes; the child then removes the folder of the run and ends.
/// </summary>
internal sealed class ParentLink
{
    private readonly BlockingCollection<string> _commands = [];
    private readonly Lock _writing = new();
    private readonly Stream _output = Console.OpenStandardOutput();
    private volatile string? _runFolder;

    public ParentLink()
    {
        var reader = new Thread(ReadCommands) { IsBackground = true, Name = "parent link" };
        reader.Start();
    }

    /// <summary>Waits for the first line, which says what to do.</summary>
    public T ReceiveJob<T>(JsonTypeInfo<T> type, Func<T, string> runFolder)
    {
        T job = JsonSerializer.Deserialize(_commands.Take(), type) ?? throw new ToolException(ExitCode.BadInput, "No job was given to this process.");
        _runFolder = runFolder(job);
        return job;
    }

    /// <summary>Waits for one of the words of <see cref="RunWord"/>.</summary>
    public void Await(string command)
    {
        string received = _commands.Take();
        if (received != command)
        {
            throw new ToolException(ExitCode.Failed, $"'{command}' was expected from the tool, and '{received}' came.");
        }
    }

    /// <summary>Waits for the next command, whatever it is.</summary>
    public string Take() => _commands.Take();

    /// <summary>The next command, or null if none came in time.</summary>
    public string? TryReceive(TimeSpan patience) => _commands.TryTake(out string? command, patience) ? command : null;

    public void Send(ChildMessage message)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(message, ProcessJson.Default.ChildMessage), (byte)'\n'];
        lock (_writing)
        {
            try
            {
                _output.Write(line);
                _output.Flush();
            }
            catch (IOException)
            {
                // The tool is gone; the reading thread ends this process.
            }
        }
    }

    private void ReadCommands()
    {
        using var input = new StreamReader(Console.OpenStandardInput());
        while (input.ReadLine() is { } line)
        {
            _commands.Add(line);
        }

        if (_runFolder is { } folder)
        {
            RunFolder.Remove(folder);
        }

        Environment.Exit(ExitCode.Interrupted);
    }
}
