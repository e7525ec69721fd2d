using System;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Hosting;

/// <summary>An image of the host that is open.</summary>
internal sealed class OpenImage(string name, IPageStore store, PagedMemory memory) : IDisposable
{
    private Task<StoreRead>? _looking;

    public string Name => name;

    public PagedMemory Memory => memory;

    /// <summary>Asks the store for its first byte. While it has not answered, it is not asked again.</summary>
    /// <returns>Null, or why it cannot be read.</returns>
    public async Task<string?> LookAsync(TimeSpan within)
    {
        Task<StoreRead> looking = _looking is { IsCompleted: false } still ? still : _looking = Task.Run(AskAsync);
        try
        {
            StoreRead read = await looking.WaitAsync(within).ConfigureAwait(false);
            return read.Cause?.Message;
        }
        catch (TimeoutException)
        {
            return $"the store did not answer within {within.TotalSeconds:0.###} seconds";
        }
        catch (Exception cause)
        {
            return cause.Message;
        }
    }

    /// <summary>On a thread of its own, for a store may hold up whoever asks.</summary>
    private async Task<StoreRead> AskAsync() => await store.ReadAsync(0, new byte[1], default).ConfigureAwait(false);

    public void Dispose()
    {
        memory.Dispose();
        memory.Image.Dispose();
        store.Dispose();
    }
}
