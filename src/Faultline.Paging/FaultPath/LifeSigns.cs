using System;
using System.Collections.Concurrent;
using System.Threading.Tasks;

namespace Faultline.Paging;

/// <summary>Questions to the handler threads whether one of them still comes by.</summary>
internal sealed class LifeSigns
{
    private readonly ConcurrentQueue<TaskCompletionSource> _asked = new();

    /// <summary>Asks, and waits for the first handler thread that comes by.</summary>
    public async Task<bool> AskAsync(IUserfaultfdPoller poller, TimeSpan within, TimeProvider time)
    {
        TaskCompletionSource answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked.Enqueue(answer);
        try
        {
            poller.Wake();
            await answer.Task.WaitAsync(within, time).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is TimeoutException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>A handler thread has come by.</summary>
    public void Give()
    {
        while (_asked.TryDequeue(out TaskCompletionSource? answer))
        {
            answer.TrySetResult();
        }
    }
}
