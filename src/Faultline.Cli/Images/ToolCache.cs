using System;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Threading;
using Faultline.Paging;
using Faultline.Stores;

namespace Faultline.Cli.Images;

/// <summary>What stands before remote stores: joined reads always, and a cache on disk if one was asked for.</summary>
internal sealed class ToolCache : IDisposable
{
    /// <summary>How long the end of the tool waits for what was read to be on the disk.</summary>
    private static readonly TimeSpan FlushDeadline = TimeSpan.FromSeconds(5);

    private readonly BlockCache? _cache;

    private ToolCache(BlockCache? cache) => _cache = cache;

    /// <summary>Opens the cache, if a folder is given.</summary>
    /// <exception cref="ToolException">The folder cannot be used.</exception>
    public static ToolCache Open(string? folder, long bytes)
    {
        try
        {
            return new ToolCache(folder is null ? null : new BlockCache(folder, new BlockCacheOptions { BudgetBytes = bytes }));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ToolException.BadInput($"The cache {folder} cannot be used: {Sentence.Of(e)}");
        }
    }

    public IPageStore Before(RemotePageStore store)
    {
        var joined = new CoalescingPageStore(store);
        return _cache is null || store.Identity is null ? joined : new CachedPageStore(joined, _cache, store.Identity);
    }

    [SuppressMessage("Usage", "VSTHRD002", Justification = "The tool ends here, and has nothing else to do.")]
    public void Dispose()
    {
        if (_cache is not null)
        {
            using var deadline = new CancellationTokenSource(FlushDeadline);
            try
            {
                _cache.FlushAsync(deadline.Token).GetAwaiter().GetResult();
            }
            catch (OperationCanceledException)
            {
                // What is not on the disk by now is read again another time.
            }

            _cache.Dispose();
        }
    }
}
