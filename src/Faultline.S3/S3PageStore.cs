using System;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Faultline.Stores;

namespace Faultline.S3;

/// <summary>
/// An object in S3, or in any object storage that speaks its protocol, read with the vendor's library. The object is pinned by its ETag: if it
/// changes, reads fail.
/// </summary>
public sealed class S3PageStore : RemotePageStore
{
    private readonly IAmazonS3 _client;
    private readonly string _bucket;
    private readonly string _key;
    private string _tag = string.Empty;

    private S3PageStore(IAmazonS3 client, string bucket, string key, RemoteStoreOptions options)
        : base($"s3://{bucket}/{key}", options)
    {
        _client = client;
        _bucket = bucket;
        _key = key;
    }

    /// <summary>The ETag of the object.</summary>
    public string ETag => _tag;

    /// <summary>Opens an object.</summary>
    /// <param name="client">The client; disposed with the store. It should not retry by itself: the store does.</param>
    /// <param name="bucket">The bucket.</param>
    /// <param name="key">The object.</param>
    /// <param name="options">How to ask; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">It could not be opened; the message says why.</exception>
    public static async Task<S3PageStore> OpenAsync(
        IAmazonS3 client, string bucket, string key, RemoteStoreOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentException.ThrowIfNullOrEmpty(bucket);
        ArgumentException.ThrowIfNullOrEmpty(key);
        try
        {
            var store = new S3PageStore(client, bucket, key, options ?? new RemoteStoreOptions());
            await store.AskAsync(store.PinAsync, cancellationToken).ConfigureAwait(false);
            return store;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Opens an address of the form <c>s3://bucket/key</c>. Credentials, region and another endpoint come from where the vendor's tools find
    /// them: the environment (<c>AWS_ACCESS_KEY_ID</c>, <c>AWS_REGION</c>, <c>AWS_ENDPOINT_URL</c>, …), profiles, or the machine's role.
    /// </summary>
    /// <param name="address">The address.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">It could not be opened; the message says why.</exception>
    public static async Task<S3PageStore> OpenAddressAsync(Uri address, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(address);
        string key = Uri.UnescapeDataString(address.AbsolutePath.TrimStart('/'));
        if (address.Host.Length == 0 || key.Length == 0)
        {
            throw new IOException($"{address} does not name an object: write s3://bucket/key.");
        }

        try
        {
            return await OpenAsync(new AmazonS3Client(CreateConfiguration()), address.Host, key, null, cancellationToken).ConfigureAwait(false);
        }
        catch (AmazonClientException cause)
        {
            // No region, no credentials: said when the client is made or first used.
            throw new IOException($"{address} could not be opened: {cause.Message.TrimEnd('.')}.", cause);
        }
    }

    /// <summary>How a client for stores is set up: no retries of its own, and paths instead of host names for buckets if another endpoint is given.</summary>
    /// <param name="endpoint">Another endpoint than the vendor's, or null for what the environment says.</param>
    public static AmazonS3Config CreateConfiguration(Uri? endpoint = null)
    {
        string? other = endpoint?.ToString() ?? Environment.GetEnvironmentVariable("AWS_ENDPOINT_URL_S3") ?? Environment.GetEnvironmentVariable("AWS_ENDPOINT_URL");
        var configuration = new AmazonS3Config
        {
            MaxErrorRetry = 0,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (!string.IsNullOrEmpty(other))
        {
            configuration.ServiceURL = other;
            configuration.ForcePathStyle = true;
            configuration.AuthenticationRegion = Environment.GetEnvironmentVariable("AWS_REGION") ?? "us-east-1";
        }

        return configuration;
    }

    /// <inheritdoc/>
    protected override async Task FetchAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        var request = new GetObjectRequest
        {
            BucketName = _bucket,
            Key = _key,
            ByteRange = new ByteRange((long)offset, (long)offset + target.Length - 1),
            EtagToMatch = _tag,
        };
        try
        {
            using GetObjectResponse response = await _client.GetObjectAsync(request, cancellationToken).ConfigureAwait(false);
            if (response.ETag != _tag)
            {
                throw Changed($"of ETag {response.ETag}");
            }

            // Some servers take the range of the very first byte for none, and send everything: the start of it is what was asked for.
            if (response.ContentLength != target.Length && (offset != 0 || response.ContentLength < target.Length))
            {
                throw new IOException($"{DisplayName} was asked for {target.Length} bytes at {offset}, and gave {response.ContentLength}.");
            }

            await response.ResponseStream.ReadExactlyAsync(target, cancellationToken).ConfigureAwait(false);
        }
        catch (AmazonS3Exception cause) when (cause.StatusCode is HttpStatusCode.PreconditionFailed or HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            throw Changed("something else");
        }
        catch (Exception cause) when (IsKnown(cause, cancellationToken))
        {
            throw Explain(cause);
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
        try
        {
            var request = new GetObjectMetadataRequest { BucketName = _bucket, Key = _key };
            GetObjectMetadataResponse answer = await _client.GetObjectMetadataAsync(request, cancellation).ConfigureAwait(false);
            Length = (ulong)answer.ContentLength;
            _tag = answer.ETag;
            Identity = $"{_client.Config.ServiceURL ?? _client.Config.RegionEndpoint?.SystemName}\n{DisplayName}\n{_tag}";
            return true;
        }
        catch (Exception cause) when (IsKnown(cause, cancellation))
        {
            throw Explain(cause);
        }
    }

    /// <summary>Whether a failure is one of the library or of the connection. Our own have no cause below them.</summary>
    private static bool IsKnown(Exception cause, CancellationToken cancellation) => cause switch
    {
        AmazonServiceException or HttpRequestException or EndOfStreamException => true,
        IOException { InnerException: not null } => true,
        OperationCanceledException => !cancellation.IsCancellationRequested,
        _ => false,
    };

    /// <summary>What a failure of the library or of the connection means here.</summary>
    private IOException Explain(Exception cause) => cause switch
    {
        AmazonServiceException { StatusCode: HttpStatusCode.NotFound } => new FileNotFoundException($"{DisplayName} does not exist: the storage answered 404.", cause),
        AmazonServiceException failure when IsTransient(failure.StatusCode) => new TransientStoreException(failure.Message.TrimEnd('.'), failure),
        AmazonServiceException failure => new IOException(
            string.Create(CultureInfo.InvariantCulture, $"{DisplayName} cannot be read: the storage answered {(int)failure.StatusCode} ({failure.Message.TrimEnd('.')})."),
            failure),
        OperationCanceledException => new TransientStoreException("the connection could not be made in time", cause),
        _ => new TransientStoreException(cause.Message.TrimEnd('.'), cause),
    };

    /// <summary>No status means that no answer came.</summary>
    private static bool IsTransient(HttpStatusCode status) =>
        status is 0 or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    private StoreChangedException Changed(string now) =>
        new(DisplayName, string.Create(CultureInfo.InvariantCulture, $"{Length} bytes long, of ETag {_tag}"), now);
}
