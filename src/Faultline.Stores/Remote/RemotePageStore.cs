using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace Faultline.Stores;

/// <summary>
/// A store behind a network, whatever its protocol: splits large reads, limits what is asked at once, retries with growing pauses until a
/// deadline, and says what could not be had and why. A protocol adds how one range is fetched.
/// </summary>
public abstract class RemotePageStore : IPageStore
{
    private static readonly ResiliencePropertyKey<RetryCount> CountKey = new("count");

    private readonly RemoteStoreOptions _options;
    private readonly SemaphoreSlim _turns;
    private readonly ResiliencePipeline _deadline;
    private readonly ResiliencePipeline _attempts;
    private long _requests;
    private long _retries;
    private long _bytes;

    /// <summary>For protocols.</summary>
    /// <param name="displayName">The address for messages: without anything secret.</param>
    /// <param name="options">How to ask.</param>
    protected RemotePageStore(string displayName, RemoteStoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        DisplayName = displayName;
        _options = options;
        _turns = new SemaphoreSlim(options.Requests);
        _deadline = new ResiliencePipelineBuilder { TimeProvider = options.TimeProvider }.AddTimeout(options.Deadline).Build();
        _attempts = CreateAttempts(options);
    }

    /// <summary>The address, for messages.</summary>
    public string DisplayName { get; }

    /// <inheritdoc/>
    public ulong Length { get; protected set; }

    /// <inheritdoc/>
    public int ReadsAtOnce => _options.Requests;

    /// <summary>What the contents are known by: the address and what it is pinned by. Null if it is pinned by its length alone, which is not enough for
    /// a cache.</summary>
    public string? Identity { get; protected set; }

    /// <summary>The requests made, retries included.</summary>
    public long RequestsMade => Interlocked.Read(ref _requests);

    /// <summary>The requests made again because one before failed.</summary>
    public long Retries => Interlocked.Read(ref _retries);

    /// <summary>The bytes received in requests that succeeded.</summary>
    public long BytesReceived => Interlocked.Read(ref _bytes);

    /// <inheritdoc/>
    public async ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        if (offset >= Length)
        {
            return StoreRead.Of(0);
        }

        target = target[..(int)Math.Min((ulong)target.Length, Length - offset)];
        var tally = new Tally(StoreMetrics.LoadNow());
        try
        {
            await ReadPartsAsync(offset, target, tally, cancellationToken).ConfigureAwait(false);
            return StoreRead.Of(target.Length);
        }
        catch (Exception cause)
        {
            return StoreRead.Failed(cause);
        }
        finally
        {
            StoreMetrics.TellAttempts(tally.Load, tally.Requests);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Fetches one range that lies inside the object, in one request.</summary>
    /// <param name="offset">Where it begins.</param>
    /// <param name="target">Receives it, whole.</param>
    /// <param name="cancellationToken">The request has taken too long, or nobody wants it any more.</param>
    /// <exception cref="TransientStoreException">It may go better next time.</exception>
    /// <exception cref="StoreChangedException">What is there is something else.</exception>
    protected abstract Task FetchAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken);

    /// <summary>Makes a request that is not a read, with the same retries.</summary>
    /// <typeparam name="T">What it gives.</typeparam>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="System.IO.IOException">It failed, for all its retries.</exception>
    protected async Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken)
    {
        T? answer = default;
        await RetryAsync(
            async token =>
            {
                answer = await request(token).ConfigureAwait(false);
            },
            reason => new System.IO.IOException($"{DisplayName} could not be opened: {reason}."),
            new Tally(null),
            cancellationToken).ConfigureAwait(false);
        return answer!;
    }

    /// <summary>Gives up connections.</summary>
    /// <param name="disposing">Whether it is called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
        // The semaphore has no handle unless someone asks for one, and reads may still be waiting for it.
    }

    private static ResiliencePipeline CreateAttempts(RemoteStoreOptions options)
    {
        var builder = new ResiliencePipelineBuilder { TimeProvider = options.TimeProvider };
        return builder
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<TransientStoreException>().Handle<TimeoutRejectedException>(),
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = options.FirstPause,
                MaxDelay = options.LongestPause,
                DelayGenerator = static arguments =>
                    new(arguments.Outcome.Exception is TransientStoreException { RetryAfter: { } pause } ? pause : null),
                OnRetry = static arguments =>
                {
                    if (arguments.Context.Properties.TryGetValue(CountKey, out RetryCount? count))
                    {
                        count.Note(arguments.Outcome.Exception);
                    }

                    return default;
                },
            })
            .AddTimeout(options.AttemptTimeout)
            .Build();
    }

    private async ValueTask ReadPartsAsync(ulong offset, Memory<byte> target, Tally tally, CancellationToken cancellation)
    {
        if (target.Length <= _options.RequestBytes)
        {
            await ReadPartAsync(offset, target, tally, cancellation).ConfigureAwait(false);
            return;
        }

        // All are awaited, failed or not: none may write to the target after this returns.
        List<Task> parts = [];
        for (int done = 0; done < target.Length; done += _options.RequestBytes)
        {
            Memory<byte> part = target.Slice(done, Math.Min(_options.RequestBytes, target.Length - done));
            parts.Add(ReadPartAsync(offset + (ulong)done, part, tally, cancellation));
        }

        await Task.WhenAll(parts).ConfigureAwait(false);
    }

    private async Task ReadPartAsync(ulong offset, Memory<byte> target, Tally tally, CancellationToken cancellation)
    {
        await RetryAsync(
            token => FetchAsync(offset, target, token),
            reason => new StoreReadException(DisplayName, offset, (ulong)target.Length, reason),
            tally,
            cancellation).ConfigureAwait(false);
        Interlocked.Add(ref _bytes, target.Length);
    }

    private async Task RetryAsync(Func<CancellationToken, Task> request, Func<string, Exception> fail, Tally tally, CancellationToken cancellation)
    {
        var count = new RetryCount(DisplayName, tally);
        try
        {
            await _deadline.ExecuteAsync(async token => await InTurnAsync(request, count, token).ConfigureAwait(false), cancellation).ConfigureAwait(false);
        }
        catch (TimeoutRejectedException)
        {
            string last = count.Last is { } failure ? $"; the last of {count.Attempts} attempts failed: {Describe(failure)}" : string.Empty;
            throw fail($"no answer within {_options.Deadline.TotalSeconds:0.###} seconds{last}");
        }
        catch (TransientStoreException failure)
        {
            throw fail(Describe(failure));
        }
        finally
        {
            Interlocked.Add(ref _retries, count.Attempts);
        }
    }

    /// <summary>A turn is kept through the pauses: a server in trouble is asked less, and nobody loses a place in the queue.</summary>
    private async Task InTurnAsync(Func<CancellationToken, Task> request, RetryCount count, CancellationToken cancellation)
    {
        await _turns.WaitAsync(cancellation).ConfigureAwait(false);
        ResilienceContext context = ResilienceContextPool.Shared.Get(cancellation);
        context.Properties.Set(CountKey, count);
        try
        {
            await _attempts.ExecuteAsync(
                async attempt =>
                {
                    Interlocked.Increment(ref _requests);
                    count.NoteRequest();
                    await request(attempt.CancellationToken).ConfigureAwait(false);
                },
                context).ConfigureAwait(false);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
            _turns.Release();
        }
    }

    private static string Describe(Exception failure) => failure is TimeoutRejectedException ? "it took too long" : failure.Message.TrimEnd('.');

    /// <summary>What has been tried for one request.</summary>
    private sealed class RetryCount(string address, Tally tally)
    {
        public int Attempts { get; private set; }

        public Exception? Last { get; private set; }

        public void Note(Exception? failure)
        {
            Attempts++;
            Last = failure;
            StoreMetrics.CountRetry(address, failure);
            StoreMetrics.TellRetry(tally.Load, failure);
        }

        public void NoteRequest()
        {
            StoreMetrics.CountRequest(address);
            tally.Add();
        }
    }

    /// <summary>The requests of one read, and the activity of the load it is for.</summary>
    private sealed class Tally(Activity? load)
    {
        private int _requests;

        public Activity? Load { get; } = load;

        public int Requests => Volatile.Read(ref _requests);

        public void Add() => Interlocked.Increment(ref _requests);
    }
}
