using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Mm;
using Faultline.Paging;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>What every store must do. A leaf says how to open one over given bytes.</summary>
public abstract class StoreConformance : IAsyncLifetime
{
    private IPageStore? _store;

    /// <summary>What the store holds: at least <see cref="Sample.OddLength"/> bytes.</summary>
    protected byte[] Contents { get; init; } = Sample.Bytes(Sample.OddLength);

    private protected TestFolder Folder { get; } = new();

    protected IPageStore Store => _store ?? throw new InvalidOperationException("The store is not open.");

    public async ValueTask InitializeAsync() => _store = await OpenAsync(Contents);

    public async ValueTask DisposeAsync()
    {
        _store?.Dispose();
        await CloseAsync();
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Length_OfTheStore_IsThatOfTheBytes() => Assert.Equal((ulong)Contents.Length, Store.Length);

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 4096)]
    [InlineData(4096, 65536)]
    [InlineData(65535, 2)]
    [InlineData(12345, 200_000)]
    [InlineData(0, Sample.OddLength)]
    [InlineData(Sample.OddLength - 1, 1)]
    public async Task Read_AnyRange_GivesItsBytes(int offset, int length) =>
        Reading.AssertSame(Contents.AsMemory(offset, length), await Store.BytesAsync((ulong)offset, length));

    [Fact]
    public async Task Read_OverTheEnd_IsShort()
    {
        byte[] target = new byte[4096];
        StoreRead read = await Store.ReadAsync((ulong)Contents.Length - 100, target, TestContext.Current.CancellationToken);
        Assert.Null(read.Cause);
        Assert.Equal(100, read.BytesRead);
        Reading.AssertSame(Contents.AsMemory(Contents.Length - 100), target.AsMemory(0, 100));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1L << 40)]
    public async Task Read_BeyondTheEnd_GivesNothing(long beyond)
    {
        StoreRead read = await Store.ReadAsync((ulong)Contents.Length + (ulong)beyond, new byte[10], TestContext.Current.CancellationToken);
        Assert.Null(read.Cause);
        Assert.Equal(0, read.BytesRead);
    }

    [Fact]
    public async Task Read_ManyAtOnce_GiveTheirBytes()
    {
        var random = new Random(7);
        (int Offset, int Length)[] ranges = [.. Enumerable.Range(0, 200).Select(_ => (random.Next(Contents.Length - 70_000), random.Next(1, 70_000)))];
        byte[][] read = await Task.WhenAll(ranges.Select(range => Task.Run(() => Store.BytesAsync((ulong)range.Offset, range.Length))));
        for (int i = 0; i < ranges.Length; i++)
        {
            Reading.AssertSame(Contents.AsMemory(ranges[i].Offset, ranges[i].Length), read[i]);
        }
    }

    [Fact]
    public async Task Read_Cancelled_Ends()
    {
        using var source = new CancellationTokenSource();
        await source.CancelAsync();
        try
        {
            StoreRead read = await Store.ReadAsync(0, new byte[65536], source.Token).AsTask().WaitAsync(Reading.Deadline);
            Assert.True(read.Cause is not null || read.BytesRead == 65536);
        }
        catch (OperationCanceledException)
        {
            // The same as a cause.
        }

        Reading.AssertSame(Contents.AsMemory(0, 100), await Store.BytesAsync(0, 100));
    }

    [Fact]
    public async Task Map_ByAPager_ShowsTheBytes()
    {
        await Task.Yield();
        using var engine = new ManagedEngine();
        using var pager = new Pager(engine);
        using PagedImage image = pager.OpenImage(Store, ownership: StoreOwnership.Caller);
        using PagedMemory memory = pager.Map(image);
        byte[] read = new byte[Contents.Length];
        memory.Read(0, read);
        Reading.AssertSame(Contents, read);
    }

    [Fact]
    public async Task Read_AfterDispose_Ends()
    {
        Store.Dispose();
        try
        {
            _ = await Store.ReadAsync(0, new byte[100], TestContext.Current.CancellationToken).AsTask().WaitAsync(Reading.Deadline);
        }
        catch (ObjectDisposedException)
        {
            // The same as a cause.
        }
    }

    /// <summary>Opens a store over these bytes.</summary>
    protected abstract Task<IPageStore> OpenAsync(byte[] contents);

    /// <summary>Ends what the store stood on.</summary>
    protected virtual ValueTask CloseAsync() => default;
}
