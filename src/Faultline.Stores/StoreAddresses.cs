using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;
using Opener = System.Func<System.Uri, System.Threading.CancellationToken, System.Threading.Tasks.Task<Faultline.Paging.IPageStore>>;

namespace Faultline.Stores;

/// <summary>
/// Opens what an address names: a file, or what a scheme such as <c>https</c> leads to; and in it an image of the format <c>.flt</c>, a core
/// dump, or anything else as it is. What it is, its first bytes say.
/// </summary>
/// <param name="schemes">Opens an address of each scheme, for example <c>https</c>. Files need none.</param>
public sealed class StoreAddresses(IReadOnlyDictionary<string, Opener>? schemes = null)
{
    /// <summary>The most layers one on another.</summary>
    public const int MostLayers = 64;

    private const int SniffedBytes = 64;

    /// <summary>Addresses of files and of web servers.</summary>
    /// <param name="options">How to ask; null for the defaults.</param>
    /// <param name="others">Opens an address of each other scheme.</param>
    public static StoreAddresses WithHttp(
        RemoteStoreOptions? options = null, IReadOnlyDictionary<string, Opener>? others = null)
    {
        async Task<IPageStore> OpenHttpAsync(Uri address, CancellationToken cancellation) =>
            await HttpPageStore.OpenAsync(address, options, null, cancellation).ConfigureAwait(false);

        return new StoreAddresses(new Dictionary<string, Opener>(others ?? ReadOnlyDictionary<string, Opener>.Empty, StringComparer.Ordinal)
        {
            [Uri.UriSchemeHttp] = OpenHttpAsync,
            [Uri.UriSchemeHttps] = OpenHttpAsync,
        });
    }

    /// <summary>Opens an address: an image's contents, a core dump's memory, or plain bytes.</summary>
    /// <param name="address">A path, or an absolute address of a known scheme.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ImageFormatException">What is there begins like an image or a core dump, and is none that can be used.</exception>
    /// <exception cref="IOException">It could not be read.</exception>
    /// <exception cref="NotSupportedException">The scheme is not known.</exception>
    public Task<IPageStore> OpenAsync(string address, CancellationToken cancellationToken = default) => OpenAsync(address, 1, cancellationToken);

    /// <summary>Opens the bytes at an address, whatever they are.</summary>
    /// <param name="address">A path, or an absolute address of a known scheme.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">It could not be read.</exception>
    /// <exception cref="NotSupportedException">The scheme is not known.</exception>
    public async Task<IPageStore> OpenBytesAsync(string address, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(address);
        if (!IsRemote(address))
        {
            return new FilePageStore(address);
        }

        var location = new Uri(address, UriKind.Absolute);
        return schemes is not null && schemes.TryGetValue(location.Scheme, out Opener? open)
            ? await open(location, cancellationToken).ConfigureAwait(false)
            : throw new NotSupportedException($"'{address}' cannot be opened: there is no opener for '{location.Scheme}:'. Name one when the {nameof(StoreAddresses)} is made.");
    }

    /// <summary>Whether an address is something else than a file's path.</summary>
    /// <param name="address">The address.</param>
    public static bool IsRemote(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.Contains("://", StringComparison.Ordinal) && Uri.TryCreate(address, UriKind.Absolute, out _);
    }

    /// <summary>The last word of an address, for messages.</summary>
    /// <param name="address">The address.</param>
    public static string NameOf(string address) =>
        IsRemote(address) ? Uri.UnescapeDataString(Path.GetFileName(new Uri(address, UriKind.Absolute).AbsolutePath)) is { Length: > 0 } name ? name : address
        : Path.GetFileName(address);

    private async Task<IPageStore> OpenAsync(string address, int depth, CancellationToken cancellation)
    {
        IPageStore bytes = await OpenBytesAsync(address, cancellation).ConfigureAwait(false);
        byte[] first = new byte[(int)Math.Min(SniffedBytes, bytes.Length)];
        try
        {
            await bytes.ReadExactlyAsync(0, first, cancellation).ConfigureAwait(false);
        }
        catch
        {
            bytes.Dispose();
            throw;
        }

        string name = NameOf(address);
        if (ImagePageStore.IsImage(first))
        {
            return await ImagePageStore
                .OpenAsync(bytes, name, (below, token) => OpenBaseAsync(address, below, depth, token), cancellation)
                .ConfigureAwait(false);
        }

        return CorePageStore.IsCore(first) ? await CorePageStore.OpenAsync(bytes, name, cancellation).ConfigureAwait(false) : bytes;
    }

    private async Task<ImagePageStore> OpenBaseAsync(string layer, ImageBase below, int depth, CancellationToken cancellation)
    {
        string address = Beside(layer, below.Name);
        if (depth == MostLayers)
        {
            throw new ImageFormatException(NameOf(layer), $"it has more than {MostLayers} layers below it");
        }

        IPageStore store = await OpenAsync(address, depth + 1, cancellation).ConfigureAwait(false);
        if (store is ImagePageStore image)
        {
            return image;
        }

        store.Dispose();
        throw new ImageFormatException(NameOf(layer), $"its base '{below.Name}' is not an image of this format");
    }

    /// <summary>The address of something beside another thing.</summary>
    private static string Beside(string address, string name)
    {
        if (IsRemote(address))
        {
            // Each word is data, not address: escaped. The layer's query, a signature perhaps, is not for another object.
            string escaped = string.Join('/', Array.ConvertAll(name.Split('/'), Uri.EscapeDataString));
            return new Uri(new Uri(address, UriKind.Absolute), escaped).AbsoluteUri;
        }

        return Path.Combine(Path.GetDirectoryName(Path.GetFullPath(address))!, name);
    }
}
