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
        _thread = new Thread(Look) { Name = "resident-watch", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Ends it.</summary>
    /// <returns>The most bytes seen.</returns>
    public long Stop()
    {
        _stop.Set();
        if (_thread.IsAlive)
        {
            _thread.Join();
        }

        return _most;
    }

    public void Dispose()
    {
        Stop();
        _stop.Dispose();
    }

    private void Look()
    {
        do
        {
            SystemResult<MemoryFileStatus> status = _file.GetStatus();
            _most = Math.Max(_most, status.IsOk ? (long)status.Value.Blocks * BlockBytes : 0);
        }
        while (!_stop.Wait(millisecondsTimeout: 1));
    }
}
