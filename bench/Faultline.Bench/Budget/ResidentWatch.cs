using System;
using System.Threading;

namespace Faultline.Bench;

/// <summary>Looks about every millisecond how many bytes of a memory file are in memory.</summary>
internal sealed class ResidentWatch : IDisposable
{
    private const int BlockBytes = 512;

    private readonly IMemoryFile _file;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _stop = new();
    private long _most;

    public ResidentWatch(IMemoryFile file)
    {
        _file = file;
        _thread = new Thread(Watch) { Name = "resident-watch", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Looks once more, for on a busy machine the thread may not have had its turn, and ends.</summary>
    /// <returns>The most bytes seen.</returns>
    public long Stop()
    {
        End();
        Look();
        return _most;
    }

    public void Dispose()
    {
        End();
        _stop.Dispose();
    }

    private void End()
    {
        _stop.Set();
        _thread.Join();
    }

    private void Watch()
    {
        while (!_stop.Wait(millisecondsTimeout: 1))
        {
            Look();
        }
    }

    private void Look()
    {
        SystemResult<MemoryFileStatus> status = _file.GetStatus();
        _most = Math.Max(_most, status.IsOk ? (long)status.Value.Blocks * BlockBytes : 0);
    }
}
