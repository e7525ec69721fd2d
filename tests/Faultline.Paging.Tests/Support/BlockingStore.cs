using System;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Paging.Tests;

/// <summary>A store that keeps the calling thread until it is let go, as a broken network file system does. It never answers wrong.</summary>
public sealed class BlockingStore(ulong length) : IPageStore
{
    /// <summary>What every word of it reads as.</summary>
    public const ulong Word = 0x0707070707070707;

    private readonly ManualResetEventSlim _unblocked = new();
    private readonly ManualResetEventSlim _reader = new();

    public ulong Length { get; } = length;

    public void Unblock() => _unblocked.Set();

    /// <summary>Keeps whoever reads from now on.</summary>
    public void Block()
    {
        _reader.Reset();
        _unblocked.Reset();
    }

    /// <summary>Waits until someone is kept.</summary>
    public bool WaitForReader() => _reader.Wait(TimeSpan.FromSeconds(30), CancellationToken.None);

    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        if (!_unblocked.IsSet)
        {
            _reader.Set();
            _unblocked.Wait(TimeSpan.FromSeconds(30), CancellationToken.None);
        }

        target.Span.Fill(7);
        return new(StoreRead.Of(target.Length));
    }

    public void Dispose()
    {
        _unblocked.Dispose();
        _reader.Dispose();
    }
}
