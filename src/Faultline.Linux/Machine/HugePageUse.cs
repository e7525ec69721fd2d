using System;
using System.Diagnostics;
using System.IO;
using System.Threading;

namespace Faultline.Linux.Machine;

/// <summary>Who uses the machine's pool of huge pages while it lives: many at a time, or one alone that counts it. Between processes, by a lock file.</summary>
internal sealed class HugePageUse : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);
    private static readonly string LockPath = Path.Combine(Path.GetTempPath(), "faultline-hugepages-use.lock");
    private readonly FileStream _held;

    private HugePageUse(FileAccess access, FileShare share)
    {
        long start = Stopwatch.GetTimestamp();
        using ManualResetEventSlim never = new(initialState: false);
        while (true)
        {
            try
            {
                _held = new FileStream(LockPath, FileMode.OpenOrCreate, access, share);
                return;
            }
            catch (IOException) when (Stopwatch.GetElapsedTime(start) < Deadline)
            {
                never.Wait(TimeSpan.FromMilliseconds(50));
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _held.Dispose();

    /// <summary>Beside others.</summary>
    internal static HugePageUse Shared() => new(FileAccess.Read, FileShare.Read);

    /// <summary>While nobody else does.</summary>
    internal static HugePageUse Alone() => new(FileAccess.ReadWrite, FileShare.None);
}
