using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Cli.Tests;

/// <summary>The built tool as a process of its own, with a folder for temporary files that nobody else uses.</summary>
internal sealed class ToolProcess : IAsyncDisposable
{
    private const UnixFileMode AllMayDoAll = (UnixFileMode)0x1FF;

    private static readonly string Tool = Path.Combine(AppContext.BaseDirectory, "faultline");
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(240);

    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _errors;

    private ToolProcess(Process process, string temporaryFolder)
    {
        _process = process;
        TemporaryFolder = temporaryFolder;
        _output = process.StandardOutput.ReadToEndAsync();
        _errors = process.StandardError.ReadToEndAsync();
    }

    public int Id => _process.Id;

    /// <summary>Where the tool puts its own files.</summary>
    public string TemporaryFolder { get; }

    public static ToolProcess Start(string temporaryFolder, params IEnumerable<string> arguments) =>
        Start(temporaryFolder, Tool, arguments);

    /// <summary>Runs the tool as the user <c>nobody</c>, who has no rights at all.</summary>
    public static async Task<ToolResult> RunAsNobodyAsync(string temporaryFolder, params IEnumerable<string> arguments)
    {
        Assert.SkipUnless(Environment.UserName == "root", "Only root can start a process as another user.");
        Assert.SkipUnless(File.Exists("/usr/bin/setpriv"), "setpriv (util-linux) is not installed, so the tool cannot be run without rights.");
        File.SetUnixFileMode(temporaryFolder, AllMayDoAll);
        IEnumerable<string> drop = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        await using ToolProcess probe = Start(temporaryFolder, "/usr/bin/setpriv", [.. drop, "test", "-x", Tool]);
        Assert.SkipUnless((await probe.WaitAsync()).ExitCode == 0, $"The user nobody may not execute {Tool}: build in a folder that all may enter.");
        await using ToolProcess tool = Start(temporaryFolder, "/usr/bin/setpriv", [.. drop, Tool, .. arguments]);
        return await tool.WaitAsync();
    }

    /// <summary>Runs the tool on a terminal of its own.</summary>
    /// <param name="temporaryFolder">Where it puts its own files.</param>
    /// <param name="script">The program of util-linux that makes the terminal.</param>
    /// <param name="arguments">Without spaces.</param>
    public static async Task<ToolResult> RunInTerminalAsync(string temporaryFolder, string script, params IEnumerable<string> arguments)
    {
        await using ToolProcess tool = Start(
            temporaryFolder, script, ["--quiet", "--return", "--command", $"stty cols 200 rows 60; TERM=xterm {Tool} {string.Join(' ', arguments)}", "/dev/null"]);
        return await tool.WaitAsync();
    }

    private static ToolProcess Start(string temporaryFolder, string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = temporaryFolder,
        };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["TMPDIR"] = temporaryFolder;
        return new ToolProcess(Process.Start(start)!, temporaryFolder);
    }

    public static async Task<ToolResult> RunAsync(string temporaryFolder, params IEnumerable<string> arguments)
    {
        await using ToolProcess tool = Start(temporaryFolder, arguments);
        return await tool.WaitAsync();
    }

    public async Task<ToolResult> WaitAsync()
    {
        try
        {
            await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Deadline);
        }
        catch (TimeoutException)
        {
            _process.Kill(entireProcessTree: true);
            throw;
        }

        return new ToolResult(_process.ExitCode, await _output, await _errors);
    }

    /// <summary>The processes the tool has started, of one kind (<c>pager</c> or <c>clone</c>).</summary>
    public IReadOnlyList<int> Children(string kind) =>
        [.. ChildrenOf(Id).Where(child => CommandLineOf(child).EndsWith($"internal {kind}", StringComparison.Ordinal))];

    /// <summary>Waits until so many clones have mapped an image of this length: their work has begun.</summary>
    public async Task<IReadOnlyList<int>> WaitForWorkingClonesAsync(int count, long imageBytes)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < Deadline)
        {
            IReadOnlyList<int> clones = [.. Children("clone").Where(clone => MapsMemoryFile(clone, imageBytes))];
            if (clones.Count >= count)
            {
                return clones;
            }

            Assert.False(_process.HasExited, "The tool ended before its clones had begun.");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TestContext.Current.CancellationToken);
        }

        throw new TimeoutException("No clone has begun its work.");
    }

    /// <summary>Waits until so many threads of the tool have names that begin so.</summary>
    public async Task WaitForThreadsAsync(string prefix, int count)
    {
        long start = Stopwatch.GetTimestamp();
        while (Directory.GetDirectories($"/proc/{Id}/task").Count(task => ReadOrEmpty(Path.Combine(task, "comm")).StartsWith(prefix, StringComparison.Ordinal)) < count)
        {
            Assert.False(_process.HasExited, "The tool ended before its clones had begun.");
            Assert.True(Stopwatch.GetElapsedTime(start) < Deadline, "No clone has begun its work.");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TestContext.Current.CancellationToken);
        }
    }

    public void Signal(string signal) => Signal(Id, signal);

    public static void Signal(int processId, string signal)
    {
        using var kill = Process.Start("kill", ["-s", signal, processId.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    /// <summary>Waits until none of these processes is there any more, and the tool has left no file behind.</summary>
    public async Task AssertNothingIsLeftAsync(IEnumerable<int> processes)
    {
        int[] left = [.. processes];
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            bool isClean = left.All(static process => !IsRunning(process)) && Directory.GetDirectories(TemporaryFolder, "faultline-*").Length == 0;
            if (isClean)
            {
                return;
            }

            string remains = $"{string.Join(", ", left.Where(IsRunning))} {string.Join(", ", Directory.GetDirectories(TemporaryFolder))}";
            Assert.True(Stopwatch.GetElapsedTime(start) < Deadline, $"Still there: {remains}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static bool IsRunning(int processId)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{processId}/stat");
            return stat[stat.LastIndexOf(')') + 2] != 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static List<int> ChildrenOf(int processId)
    {
        var children = new List<int>();
        foreach (string task in Directory.GetDirectories($"/proc/{processId}/task"))
        {
            children.AddRange(ReadOrEmpty(Path.Combine(task, "children"))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(static child => int.Parse(child, CultureInfo.InvariantCulture)));
        }

        return children;
    }

    private static string CommandLineOf(int processId) => ReadOrEmpty($"/proc/{processId}/cmdline").Replace('\0', ' ').Trim();

    private static bool MapsMemoryFile(int processId, long bytes)
    {
        foreach (string line in ReadOrEmpty($"/proc/{processId}/maps").Split('\n'))
        {
            int dash = line.IndexOf('-', StringComparison.Ordinal);
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            if (dash > 0 && space > dash && line.Contains("memfd:", StringComparison.Ordinal)
                && long.Parse(line[(dash + 1)..space], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
                - long.Parse(line[..dash], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) == bytes)
            {
                return true;
            }
        }

        return false;
    }

    private static string ReadOrEmpty(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return string.Empty;
        }
    }
}
