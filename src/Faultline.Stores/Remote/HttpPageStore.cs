using System;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Stores;

/// <summary>
/// An object on any web server that answers range requests: RFC 9110, section 14. Only GET is used, so pre-signed addresses work. The object is
/// pinned by its ETag, or else by when it was modified and its length: if it changes, reads fail.
/// </summary>
public sealed class HttpPageStore : RemotePageStore
{
    private readonly Uri _address;
    private readonly HttpClient _client;
    private EntityTagHeaderValue? _tag;
    private DateTimeOffset? _modified;

    private HttpPageStore(Uri address, HttpClient client, RemoteStoreOptions options)
        : base(address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.SafeUnescaped), options)
    {
        _address = address;
        _client = client;
    }

    /// <summary>The ETag of the object, or null if the server gave none.</summary>
    public string? ETag => _tag?.ToString();

    /// <summary>Opens an object: one request for its first byte tells its length and its ETag.</summary>
    /// <param name="address">The address, <c>http</c> or <c>https</c>.</param>
    /// <param name="options">How to ask; null for the defaults.</param>
    /// <param name="handler">Makes the requests, for proxies, certificates and credentials; disposed with the store. Null for an ordinary one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">It could not be opened; the message says why.</exception>
    public static async Task<HttpPageStore> OpenAsync(
        Uri address, RemoteStoreOptions? options = null, HttpMessageHandler? handler = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(address);
        options ??= new RemoteStoreOptions();
        handler ??= CreateHandler(options);
        var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        try
        {
            var store = new HttpPageStore(address, client, options);
            await store.AskAsync(store.PinAsync, cancellationToken).ConfigureAwait(false);
            return store;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    private static SocketsHttpHandler CreateHandler(RemoteStoreOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            MaxConnectionsPerServer = options.Requests,
            ConnectTimeout = options.AttemptTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };
        if (options.TrustedAuthorities is { } trusted)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(trusted);
            handler.SslOptions.CertificateChainPolicy = policy;
        }

        return handler;
    }

    /// <inheritdoc/>
    protected override async Task FetchAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(offset, target.Length, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.PreconditionFailed)
        {
            throw Changed("something else, for the server refuses the ETag");
        }

        RequireRange(response);
        RequireSame(response);
        ContentRangeHeaderValue? range = response.Content.Headers.ContentRange;
        if (range?.From != (long)offset || range.To < (long)offset + target.Length - 1)
        {
            // More than was asked for is all right: the rest is left in the connection.
            throw new IOException($"{DisplayName} was asked for bytes {offset} to {offset + (ulong)target.Length - 1}, and gave '{range}'.");
        }

        try
        {
            Stream body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using (body.ConfigureAwait(false))
            {
                await body.ReadExactlyAsync(target, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception cause) when (cause is IOException or HttpRequestException)
        {
            throw new TransientStoreException("the connection ended before all had come", cause);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _client.Dispose();
    }

    private async Task<bool> PinAsync(CancellationToken cancellation)
    {
        using HttpResponseMessage response = await SendAsync(0, 1, cancellation).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && response.Content.Headers.ContentRange?.Length == 0)
        {
            return true;
        }

        RequireRange(response);
        Length = (ulong)(response.Content.Headers.ContentRange?.Length ?? throw new IOException($"{DisplayName} does not tell its length."));
        _tag = response.Headers.ETag;
        _modified = response.Content.Headers.LastModified;
        string? pin = ETag ?? _modified?.ToString("u", CultureInfo.InvariantCulture);
        Identity = pin is null ? null : $"{DisplayName}\n{pin}";
        return true;
    }

    private async Task<HttpResponseMessage> SendAsync(ulong offset, int length, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _address);
        request.Headers.Range = new RangeHeaderValue((long)offset, (long)offset + length - 1);
        request.Headers.AcceptEncoding.ParseAdd("identity");
        if (_tag is { IsWeak: false })
        {
            request.Headers.IfMatch.Add(_tag);
        }

        try
        {
            return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        }
        catch (HttpRequestException cause) when (cause.InnerException is AuthenticationException refusal)
        {
            // A certificate gets no better by asking again.
            throw new IOException($"{DisplayName} cannot be trusted: {refusal.Message.TrimEnd('.')}.", cause);
        }
        catch (HttpRequestException cause)
        {
            throw new TransientStoreException(cause.Message.TrimEnd('.'), cause);
        }
        catch (OperationCanceledException cause) when (!cancellation.IsCancellationRequested)
        {
            // The handler's own limits, such as that of connecting.
            throw new TransientStoreException("the connection could not be made in time", cause);
        }
    }

    /// <summary>Throws unless the answer is a part of the object.</summary>
    private void RequireRange(HttpResponseMessage response)
    {
        string status = string.Create(CultureInfo.InvariantCulture, $"{(int)response.StatusCode} ({response.ReasonPhrase})");
        switch (response.StatusCode)
        {
            case HttpStatusCode.PartialContent:
                return;
            case HttpStatusCode.OK:
                throw new IOException($"{DisplayName} does not answer requests for a range: it sends everything. Another server, or a copy as a file, will do.");
            case HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests:
            case >= HttpStatusCode.InternalServerError and not HttpStatusCode.NotImplemented and not HttpStatusCode.HttpVersionNotSupported:
                TimeSpan? pause = response.Headers.RetryAfter?.Delta;
                throw new TransientStoreException($"the server answered {status}", null, pause);
            case HttpStatusCode.RequestedRangeNotSatisfiable when Length != 0:
                throw Changed("shorter");
            case HttpStatusCode.NotFound or HttpStatusCode.Gone:
                throw new FileNotFoundException($"{DisplayName} does not exist: the server answered {status}.");
            default:
                throw new IOException($"{DisplayName} cannot be read: the server answered {status}.");
        }
    }

    /// <summary>Throws if the answer is part of something else than what was opened.</summary>
    private void RequireSame(HttpResponseMessage response)
    {
        if (response.Content.Headers.ContentRange?.Length is { } length && (ulong)length != Length)
        {
            throw Changed(string.Create(CultureInfo.InvariantCulture, $"{length} bytes long"));
        }

        if (_tag is not null && response.Headers.ETag is { } tag && !tag.Equals(_tag))
        {
            throw Changed($"of ETag {tag}");
        }

        if (_tag is null && _modified is not null && response.Content.Headers.LastModified is { } modified && modified != _modified)
        {
            throw Changed(string.Create(CultureInfo.InvariantCulture, $"of {modified:u}"));
        }
    }

    private StoreChangedException Changed(string now)
    {
        string known = _tag is not null ? $", of ETag {_tag}" : _modified is not null ? string.Create(CultureInfo.InvariantCulture, $", of {_modified:u}") : string.Empty;
        return new StoreChangedException(DisplayName, string.Create(CultureInfo.InvariantCulture, $"{Length} bytes long{known}"), now);
    }
}
