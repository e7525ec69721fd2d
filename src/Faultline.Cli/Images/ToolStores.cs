using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;
using Faultline.S3;
using Faultline.Stores;
using Opener = System.Func<System.Uri, System.Threading.CancellationToken, System.Threading.Tasks.Task<Faultline.Paging.IPageStore>>;

namespace Faultline.Cli.Images;

/// <summary>Everything the tool can open by an address, and what it says if it cannot.</summary>
internal static class ToolStores
{
    /// <summary>Opens an image, a core dump, or plain bytes.</summary>
    /// <exception cref="ToolException">It cannot be used: one sentence says why.</exception>
    public static async Task<IPageStore> OpenAsync(string address, CancellationToken cancellation, ToolCache? cache = null)
    {
        if (!StoreAddresses.IsRemote(address) && Directory.Exists(address))
        {
            throw ToolException.BadInput($"The image {address} is a directory; name a file.");
        }

        try
        {
            return await Addresses(cache).OpenAsync(address, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ImageFormatException or NotSupportedException)
        {
            throw ToolException.BadInput(Sentence.OneLine(e.Message));
        }
        catch (IOException e) when (StoreAddresses.IsRemote(address))
        {
            throw ToolException.BadInput(Sentence.OneLine(e.Message));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw ToolException.BadInput($"The image {address} does not exist.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ToolException.BadInput($"The image {address} cannot be read: {Sentence.Of(e)}");
        }
    }

    /// <summary>Opens an image of the format <c>.flt</c>.</summary>
    /// <exception cref="ToolException">It is none, or cannot be used.</exception>
    public static async Task<ImagePageStore> OpenImageAsync(string address, CancellationToken cancellation)
    {
        IPageStore store = await OpenAsync(address, cancellation).ConfigureAwait(false);
        if (store is ImagePageStore image)
        {
            return image;
        }

        store.Dispose();
        throw ToolException.BadInput($"{address} is not an image of the format .flt; `faultline image create` makes one.");
    }

    /// <summary>The same as <see cref="OpenAsync"/>, for a process that has nothing else to do until the image is there.</summary>
    [SuppressMessage("Usage", "VSTHRD002", Justification = "There is no synchronisation context, and nothing else to do.")]
    public static IPageStore Open(string address, ToolCache? cache) => OpenAsync(address, CancellationToken.None, cache).GetAwaiter().GetResult();

    /// <summary>A name for an image: short enough for a memory file, and without what an address may have besides.</summary>
    public static string NameOf(string address)
    {
        const int Longest = 100;
        string name = StoreAddresses.NameOf(address);
        return name.Length <= Longest ? name : name[..Longest];
    }

    private static StoreAddresses Addresses(ToolCache? cache) => new(new Dictionary<string, Opener>(StringComparer.Ordinal)
    {
        [Uri.UriSchemeHttp] = (address, cancellation) => OpenHttpAsync(address, cache, cancellation),
        [Uri.UriSchemeHttps] = (address, cancellation) => OpenHttpAsync(address, cache, cancellation),
        ["s3"] = (address, cancellation) => OpenS3Async(address, cache, cancellation),
    });

    private static async Task<IPageStore> OpenHttpAsync(Uri address, ToolCache? cache, CancellationToken cancellation) =>
        Before(cache, await HttpPageStore.OpenAsync(address, cancellationToken: cancellation).ConfigureAwait(false));

    private static async Task<IPageStore> OpenS3Async(Uri address, ToolCache? cache, CancellationToken cancellation) =>
        Before(cache, await S3PageStore.OpenAddressAsync(address, cancellation).ConfigureAwait(false));

    private static IPageStore Before(ToolCache? cache, RemotePageStore store) => cache?.Before(store) ?? new CoalescingPageStore(store);
}
