using System;
using System.Buffers;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores;

/// <summary>
/// Joins reads of neighbouring bytes into one, for stores where a request costs more than its bytes. A read that finds the store idle goes at
/// once: nothing ever waits for company. While the store is busy reads gather, and go together with their neighbours when it is their turn.
/// </summary>
/// <remarks>A joined read that fails is made again one by one, so that its cause reaches only those whose bytes it concerns.</remarks>
public sealed class CoalescingPageStore : IPageStore, IForgetfulStore
{
    private readonly IPageStore _inner;
    private readonly CoalescingOptions _options;
    private readonly Lock _lock = new();

    /// <summary>The reads that wait, in the order they came. Guard: the lock.</summary>
    private readonly List<WaitingRead> _waiting = [];

    /// <summary>The reads of the store below under way. Guard: the lock.</summary>
    private int _underWay;
    private long _reads;
    private long _requests;

    /// <summary>Joins reads of a store.</summary>
    /// <param name="inner">The store; disposed with this one.</param>
    /// <param name="options">How; null for the defaults.</param>
    public CoalescingPageStore(IPageStore inner, CoalescingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(inner);
        _inner = inner;
        _options = options ?? new CoalescingOptions();
        _options.Validate();
    }

    /// <inheritdoc/>
    public ulong Length => _inner.Length;

    /// <inheritdoc/>
    public int ReadsAtOnce => Math.Min(_options.Requests, _inner.ReadsAtOnce);

    /// <summary>The reads asked for.</summary>
    public long Reads => Interlocked.Read(ref _reads);

    /// <summary>The reads made of the store below.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    /// <inheritdoc/>
    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        if (offset >= Length)
        {
            return new(StoreRead.Of(0));
        }

        Interlocked.Increment(ref _reads);
        var read = new WaitingRead(offset, target[..(int)Math.Min((ulong)target.Length, Length - offset)], cancellationToken);
        lock (_lock)
        {
            _waiting.Add(read);
        }

        Pump();
        return new(read.Answer);
    }

    /// <inheritdoc/>
    public void Dispose() => _inner.Dispose();

    void IForgetfulStore.Forget(ulong offset, ulong length) => (_inner as IForgetfulStore)?.Forget(offset, length);

    /// <summary>Starts what may be started now.</summary>
    private void Pump()
    {
        while (TakeGroup() is { } group)
        {
            _ = ServeAsync(group);
        }
    }

    /// <summary>The read that has waited longest with its neighbours, or null if there is none, or too many are under way.</summary>
    private List<WaitingRead>? TakeGroup()
    {
        lock (_lock)
        {
            if (_waiting.Count == 0 || _underWay == _options.Requests)
            {
                return null;
            }

            _underWay++;
            List<WaitingRead> group = [_waiting[0]];
            _waiting.RemoveAt(0);
            ulong low = group[0].Offset;
            ulong high = group[0].End;
            for (bool hasGrown = true; hasGrown;)
            {
                hasGrown = false;
                for (int i = 0; i < _waiting.Count; i++)
                {
                    WaitingRead other = _waiting[i];
                    ulong gap = (ulong)_options.GapBytes;
                    bool isNear = other.Offset <= high + gap && other.End + gap >= low;
                    ulong joinedLow = Math.Min(low, other.Offset);
                    ulong joinedHigh = Math.Max(high, other.End);
                    if (isNear && joinedHigh - joinedLow <= (ulong)_options.LargestBytes)
                    {
                        (low, high) = (joinedLow, joinedHigh);
                        group.Add(other);
                        _waiting.RemoveAt(i--);
                        hasGrown = true;
                    }
                }
            }

            return group;
        }
    }

    private async Task ServeAsync(List<WaitingRead> group)
    {
        // Who starts a group may be someone else: the requests belong to the load of the one that has waited longest.
        Activity.Current = group[0].Activity;
        try
        {
            if (group.Count == 1 || !await TryTogetherAsync(group).ConfigureAwait(false))
            {
                foreach (WaitingRead read in group)
                {
                    read.Tell(await ReadInnerAsync(read.Offset, read.Target, read.Cancellation).ConfigureAwait(false));
                }
            }
        }
        finally
        {
            lock (_lock)
            {
                _underWay--;
            }

            Pump();
        }
    }

    private async Task<bool> TryTogetherAsync(List<WaitingRead> group)
    {
        ulong low = ulong.MaxValue;
        ulong high = 0;
        foreach (WaitingRead read in group)
        {
            low = Math.Min(low, read.Offset);
            high = Math.Max(high, read.End);
        }

        int length = (int)(high - low);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        using var nobodyWaits = new GroupCancellation(group);
        StoreRead together = await ReadInnerAsync(low, buffer.AsMemory(0, length), nobodyWaits.Token).ConfigureAwait(false);
        bool isWhole = together.IsOk && together.BytesRead == length;
        if (isWhole)
        {
            foreach (WaitingRead read in group)
            {
                buffer.AsMemory((int)(read.Offset - low), read.Target.Length).CopyTo(read.Target);
                read.Tell(StoreRead.Of(read.Target.Length));
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
        return isWhole;
    }

    private async ValueTask<StoreRead> ReadInnerAsync(ulong offset, Memory<byte> target, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _requests);
        try
        {
            cancellation.ThrowIfCancellationRequested();
            return await _inner.ReadAsync(offset, target, cancellation).ConfigureAwait(false);
        }
        catch (Exception cause)
        {
            return StoreRead.Failed(cause);
        }
    }
}
