using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Bench;

/// <summary>Plain mmap of the file in a process that lives in a memory control group of the budget's size.</summary>
internal sealed class MmapWalks : IDisposable
{
    /// <summary>What a walk may take.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    private readonly MemoryGroup _group;
    private readonly string _program;
    private readonly string _path;
    private Process _process;

    public MmapWalks(string program, string path, MemoryGroup group)
    {
        _group = group;
        _path = path;
        _program = program;
        _process = Start();
    }

    /// <summary>Walks once, with none of the file in the page cache when it begins.</summary>
    public async Task<MmapWalk> RunAsync(WalkSpec spec, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Deadline);
        DropCache();
        _group.ResetPeak();
        string line = string.Create(
            CultureInfo.InvariantCulture, $"{spec.PatternName} {(spec.IsWrite ? 1 : 0)} {spec.Threads} {spec.Accesses} {WalkSpec.Seed}");
        try
        {
            await _process.StandardInput.WriteLineAsync(line.AsMemory(), deadline.Token);
            await _process.StandardInput.FlushAsync(deadline.Token);
            string? answer = await _process.StandardOutput.ReadLineAsync(deadline.Token);
            return answer?.Split(' ') switch
            {
                ["ok", string elapsed] => new MmapWalk(long.Parse(elapsed, CultureInfo.InvariantCulture), _group.ReadPeak(), null),
                null => Again("killed: the group had no memory left"),
                _ => throw new BenchmarkException($"The mapping program failed: {answer}"),
            };
        }
        catch (IOException)
        {
            return Again("killed: the group had no memory left");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return Again($"not done after {Deadline.TotalMinutes:0} minutes");
        }
    }

    public void Dispose() => End(_process);

    private Process Start()
    {
        var start = new ProcessStartInfo(_program, [_path]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true };
        Process process = Process.Start(start) ?? throw new BenchmarkException("The mapping program did not start.");
        try
        {
            _group.Add(process.Id);
        }
        catch
        {
            End(process);
            throw;
        }

        return process;
    }

    /// <summary>A walk that came to nothing; the next one has a process of its own.</summary>
    private MmapWalk Again(string failure)
    {
        End(_process);
        _process = Start();
        return new MmapWalk(null, _group.ReadPeak(), failure);
    }

    private static void End(Process process)
    {
        if (!process.HasExited)
        {
            process.Kill();
            process.WaitForExit((int)TimeSpan.FromSeconds(5).TotalMilliseconds);
        }

        process.Dispose();
    }

    private void DropCache()
    {
        using FileStream file = new(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.Flush(flushToDisk: true);
        NativeSymbols.ForgetFile((int)file.SafeFileHandle.DangerousGetHandle());
    }
}
