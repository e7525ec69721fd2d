using System;
using System.Threading;

namespace Faultline.Linux;

/// <summary>
/// The threads that are inside a blocking read of one descriptor. Closing a descriptor does not end a read(2) that is blocked on it, so
/// <see cref="Cancel"/> interrupts those threads until the last one is out.
/// </summary>
internal sealed class BlockedReaders
{
    private readonly object _gate = new();
    private int[] _threadIds = new int[4];
    private int _count;
    private bool _cancelled;

    /// <summary>Whether <see cref="Cancel"/> was called. A reader that was interrupted asks.</summary>
    internal bool IsCancelled
    {
        get
        {
            lock (_gate)
            {
                return _cancelled;
            }
        }
    }

    /// <summary>Announces a reader; false when cancelled.</summary>
    internal bool TryEnter(int threadId)
    {
        lock (_gate)
        {
            if (_cancelled)
            {
                return false;
            }

            if (_count == _threadIds.Length)
            {
                Array.Resize(ref _threadIds, _count * 2);
            }

            _threadIds[_count++] = threadId;
            return true;
        }
    }

    /// <summary>Takes the reader out again.</summary>
    internal void Leave(int threadId)
    {
        lock (_gate)
        {
            int index = Array.IndexOf(_threadIds, threadId, 0, _count);
            _threadIds[index] = _threadIds[--_count];
            if (_count == 0)
            {
                Monitor.PulseAll(_gate);
            }
        }
    }

    /// <summary>
    /// Lets no reader in any more, and waits until all are out. A signal that arrives just before the system call is lost on it, hence
    /// the repetition.
    /// </summary>
    internal void Cancel()
    {
        lock (_gate)
        {
            _cancelled = true;
            while (_count > 0)
            {
                for (int i = 0; i < _count; i++)
                {
                    InterruptSignal.Send(_threadIds[i]);
                }

                Monitor.Wait(_gate, millisecondsTimeout: 1);
            }
        }
    }
}
