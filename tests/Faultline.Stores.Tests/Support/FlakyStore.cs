using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores.Tests;

/// <summary>
/// Known bytes behind a store that may fail, answer late on another thread, or give wrong bytes, when a test says so; it never answers twice
/// and never writes after it answered. It keeps what was read.
/// </summary>
internal sealed class FlakyStore(byte[] contents) : IPageStore
{
    private readonly Lock _lock = new();
    private readonly List<(ulong Offset, int Length)> _reads = [];

    /// <summary>Whether reads fail.</summary>
    public bool IsBroken { get; set; }

    /// <summary>Where reads fail, beside that.</summary>
    public Func<ulong, int, bool> Fails { get; set; } = static (_, _) => false;

    /// <summary>A byte that is given wrong, or none.</summary>
    public long? WrongByte { get; set; }

    /// <summary>What answers wait for, or null if they come at once.</summary>
    public Func<Task>? Delay { get; set; }

    public ulong Length => (ulong)contents.Length;

    public IReadOnlyList<(ulong Offset, int Length)> Reads
    {
        get
        {
            lock (_lock)
            {
                return [.. _reads];
            }
        }
    }

    public void ForgetReads()
    {
        lock (_lock)
        {
            _reads.Clear();
        }
    }

    public async ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _reads.Add((offset, target.Length));
        }

        if (Delay is { } delay)
        {
            await delay().WaitAsync(cancellationToken);
        }

        if (IsBroken || Fails(offset, target.Length))
        {
            return StoreRead.Failed(new IOException("The test's store is broken."));
        }

        int length = offset >= Length ? 0 : (int)Math.Min((ulong)target.Length, Length - offset);
        contents.AsSpan((int)Math.Min(offset, Length), length).CopyTo(target.Span);
        if (WrongByte is { } wrong && (ulong)wrong >= offset && (ulong)wrong < offset + (ulong)length)
        {
            target.Span[(int)((ulong)wrong - offset)] ^= 1;
        }

        return StoreRead.Of(length);
    }

    public void Dispose()
    {
        // Nothing is held.
    }
}
