using System;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Threading;

namespace Faultline.Linux.Machine;

/// <summary>A small swap file of the run's own, in use until it is disposed.</summary>
internal sealed class BorrowedSwapFile : IDisposable
{
    private const int ChunkBytes = 1 << 20;
    private string? _path;

    private BorrowedSwapFile(string? path, string? refusal)
    {
        _path = path;
        Refusal = refusal;
    }

    /// <summary>Null, or why there is none.</summary>
    internal string? Refusal { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        string? path = Interlocked.Exchange(ref _path, null);
        if (path is not null)
        {
            Run("swapoff", path);
            File.Delete(path);
        }
    }

    /// <summary>Makes the file, readable by its owner only as any temporary file, and puts it into use.</summary>
    internal static BorrowedSwapFile Take(int megabytes = 64)
    {
        string path = Path.GetTempFileName();
        try
        {
            Write(path, megabytes);
            string? error = Run("mkswap", path) ?? Run("swapon", "-p", OwnPriority(), path);
            if (error is null)
            {
                return new(path, refusal: null);
            }

            File.Delete(path);
            return new(path: null, $"There is no swap: {error} Run as root, with a temporary folder on a file system that can hold a swap file.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            File.Delete(path);
            return new(path: null, $"There is no swap: {error.Message}");
        }
    }

    // Written, not only made longer: a swap file has no holes.
    private static void Write(string path, int megabytes)
    {
        using FileStream file = File.OpenWrite(path);
        byte[] chunk = new byte[ChunkBytes];
        for (int i = 0; i < megabytes; i++)
        {
            file.Write(chunk);
        }
    }

    // Above the areas of others, which may be taken away in the middle of the run: that brings pages back.
    private static string OwnPriority() => (1 + (Environment.ProcessId % 32000)).ToString(CultureInfo.InvariantCulture);

    private static string? Run(string program, params string[] arguments)
    {
        try
        {
            ProcessStartInfo start = new(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false };
            using Process process = Process.Start(start)!;
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : $"{program}: {error.Trim()}";
        }
        catch (Win32Exception error)
        {
            return $"{program}: {error.Message}";
        }
    }
}
