using System;
using System.Threading.Tasks;
using Faultline.Paging;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>Reads of stores as tests want them.</summary>
internal static class Reading
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>Reads, and fails the test unless so many bytes come.</summary>
    public static async Task<byte[]> BytesAsync(this IPageStore store, ulong offset, int length)
    {
        byte[] target = new byte[length];
        StoreRead read = await store.ReadAsync(offset, target, TestContext.Current.CancellationToken).AsTask().WaitAsync(Deadline);
        Assert.Null(read.Cause);
        Assert.Equal(length, read.BytesRead);
        return target;
    }

    public static Task<byte[]> AllAsync(this IPageStore store) => store.BytesAsync(0, (int)store.Length);

    /// <summary>Reads, and fails the test unless it fails.</summary>
    public static async Task<Exception> CauseAsync(this IPageStore store, ulong offset, int length)
    {
        StoreRead read = await store.ReadAsync(offset, new byte[length], TestContext.Current.CancellationToken).AsTask().WaitAsync(Deadline);
        return Assert.IsAssignableFrom<Exception>(read.Cause);
    }

    /// <summary>Compares without printing a million bytes.</summary>
    public static void AssertSame(ReadOnlyMemory<byte> expected, ReadOnlyMemory<byte> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        int same = expected.Span.CommonPrefixLength(actual.Span);
        Assert.True(same == expected.Length, $"The bytes differ at {same}.");
    }
}
