using System;
using System.Collections.Generic;
using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>What a replay has to install: batches that were read, clients that came, and the word that all was read. One thread takes.</summary>
internal sealed class ReplayQueue : IDisposable
{
    private readonly RankedLock _lock = new(LockRank.PagerGuesses);
    private readonly Parker _parker = new();

    /// <summary>Guard: the lock.</summary>
    private readonly Queue<(ReplayBatch? Batch, PagerClient? Client)> _waiting = new();

    /// <summary>Guard: the lock.</summary>
    private bool _isEnded;

    /// <summary>Adds something, unless the end was announced.</summary>
    public void Add(ReplayBatch? batch, PagerClient? client)
    {
        using RankedLock.Scope held = _lock.Enter();
        if (!_isEnded)
        {
            _waiting.Enqueue((batch, client));
            _parker.Unpark();
        }
    }

    /// <summary>Waits for the next thing.</summary>
    /// <returns>False if there will be none.</returns>
    public bool TryTake(out ReplayBatch? batch, out PagerClient? client)
    {
        while (true)
        {
            using (RankedLock.Scope held = _lock.Enter())
            {
                if (_waiting.TryDequeue(out (ReplayBatch? Batch, PagerClient? Client) next))
                {
                    (batch, client) = next;
                    return true;
                }

                if (_isEnded)
                {
                    _parker.Dispose();
                    (batch, client) = (null, null);
                    return false;
                }
            }

            _parker.Park();
        }
    }

    /// <summary>Announces the end. What waits is still taken.</summary>
    public void Dispose()
    {
        using RankedLock.Scope held = _lock.Enter();
        if (!_isEnded)
        {
            _isEnded = true;
            _parker.Unpark();
        }
    }
}
