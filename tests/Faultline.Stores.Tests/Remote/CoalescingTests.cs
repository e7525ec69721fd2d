using System;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>Which reads go together, and that nobody pays for a neighbour.</summary>
public sealed class CoalescingTests
{
    private const int Piece = 65536;

    private readonly byte[] _contents = Sample.Bytes(4 << 20);

    [Fact]
    public async Task Read_NeighboursWhileBusy_BecomeOneRequest()
    {
        (FlakyStore below, CoalescingPageStore store, TaskCompletionSource gate) = Gated(requests: 1);
        Task<byte[]> first = store.BytesAsync(0, Piece);
        Task<byte[]>[] neighbours = [.. Enumerable.Range(0, 4).Select(static i => 11 - i).Select(piece => store.BytesAsync((ulong)(piece * Piece), Piece))];
        Task<byte[]> far = store.BytesAsync(40 * Piece, Piece);
        Assert.Single(below.Reads);
        gate.SetResult();
        await Task.WhenAll([first, far, .. neighbours]);
        Assert.Equal([(0UL, Piece), (8UL * Piece, 4 * Piece), (40UL * Piece, Piece)], below.Reads);
        Reading.AssertSame(_contents.AsMemory(11 * Piece, Piece), await neighbours[0]);
        Reading.AssertSame(_contents.AsMemory(8 * Piece, Piece), await neighbours[3]);
        Assert.Equal((6, 3), (store.Reads, store.Requests));
    }

    [Fact]
    public async Task Read_WhileIdle_GoesAtOnce()
    {
        var below = new FlakyStore(_contents);
        using var store = new CoalescingPageStore(below);
        for (ulong piece = 0; piece < 10; piece++)
        {
            await store.BytesAsync(piece * Piece, Piece);
        }

        Assert.Equal(10, below.Reads.Count);
    }

    [Fact]
    public async Task Read_TogetherWithOneThatFails_GetsItsBytesAllTheSame()
    {
        (FlakyStore below, CoalescingPageStore store, TaskCompletionSource gate) = Gated(requests: 1);
        below.Fails = static (offset, length) => offset <= 9 * Piece && offset + (ulong)length > 9 * Piece;
        Task<byte[]> first = store.BytesAsync(0, Piece);
        Task<byte[]> good = store.BytesAsync(8 * Piece, Piece);
        Task<Exception> bad = store.CauseAsync(9 * Piece, Piece);
        Task<byte[]> alsoGood = store.BytesAsync(10 * Piece, Piece);
        gate.SetResult();
        await first;
        Reading.AssertSame(_contents.AsMemory(8 * Piece, Piece), await good);
        Reading.AssertSame(_contents.AsMemory(10 * Piece, Piece), await alsoGood);
        Assert.IsType<IOException>(await bad);
    }

    [Fact]
    public async Task Read_GivenUpByOne_IsStillMadeForTheOthers()
    {
        (_, CoalescingPageStore store, TaskCompletionSource gate) = Gated(requests: 1);
        using var source = new CancellationTokenSource();
        Task<byte[]> first = store.BytesAsync(0, Piece);
        Task<StoreRead> givenUp = store.ReadAsync(8 * Piece, new byte[Piece], source.Token).AsTask();
        Task<byte[]> other = store.BytesAsync(9 * Piece, Piece);
        await source.CancelAsync();
        gate.SetResult();
        await first;
        Reading.AssertSame(_contents.AsMemory(9 * Piece, Piece), await other);
        await givenUp.WaitAsync(Reading.Deadline);
    }

    /// <summary>A store whose first answer waits for a gate.</summary>
    private (FlakyStore Below, CoalescingPageStore Store, TaskCompletionSource Gate) Gated(int requests)
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var below = new FlakyStore(_contents) { Delay = () => gate.Task };
        return (below, new CoalescingPageStore(below, new CoalescingOptions { Requests = requests }), gate);
    }
}
