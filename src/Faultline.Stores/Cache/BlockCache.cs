using System;
using System.Buffers;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Microsoft.Win32.SafeHandles;

namespace Faultline.Stores;

/// <summary>
/// Blocks of remote objects in a folder on disk: bounded, shared by any number of processes, and never more than a help: whatever goes wrong with
/// it, damage, a full disk, a crash in the middle, the block is read from where it came.
/// </summary>
/// <remarks>A block is a file with a checksum, written beside its place and renamed to it. Writing is done behind the readers' backs.</remarks>
public sealed class BlockCache : IDisposable
{
    /// <summary>A block's time of last use is not written again within this time.</summary>
    private static readonly TimeSpan UseStep = TimeSpan.FromSeconds(10);

    private readonly string _root;
    private readonly BlockCacheOptions _options;
    private readonly CacheBudget _budget;
    private readonly Channel<CacheKey> _queue = Channel.CreateUnbounded<CacheKey>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _writing;

    /// <summary>What waits to be written, whole files with headers; readers find it here until it is on the disk.</summary>
    private readonly ConcurrentDictionary<CacheKey, byte[]> _pending = new();
    private long _pendingBytes;
    private long _hits;
    private long _misses;
    private long _damaged;
    private long _written;
    private long _lost;

    /// <summary>Opens a cache, and makes its folder if there is none.</summary>
    /// <param name="folder">The folder. Nothing else should be in it.</param>
    /// <param name="options">How large it is; null for the defaults.</param>
    /// <exception cref="IOException">The folder cannot be made.</exception>
    public BlockCache(string folder, BlockCacheOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        _options = options ?? new BlockCacheOptions();
        _options.Validate();
        _root = Path.GetFullPath(folder);
        Directory.CreateDirectory(_root);
        _budget = new CacheBudget(_root, _options);
        _writing = Task.Run(WriteAllAsync);
    }

    /// <summary>What it has done so far in this process.</summary>
    public BlockCacheStatistics GetStatistics() => new()
    {
        Hits = Interlocked.Read(ref _hits),
        Misses = Interlocked.Read(ref _misses),
        Damaged = Interlocked.Read(ref _damaged),
        Written = Interlocked.Read(ref _written),
        NotWritten = Interlocked.Read(ref _lost),
        Evicted = _budget.Evicted,
    };

    /// <summary>Waits until what was to be kept is on the disk, or was given up.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task FlushAsync(CancellationToken cancellationToken = default)
    {
        while (!_pending.IsEmpty && !_writing.IsCompleted)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Ends it. What was not written yet is not; a block in the middle of being written is waited for.</summary>
    [SuppressMessage("Usage", "VSTHRD002", Justification = "The writer runs on the pool, needs nobody, and stops after the block it is at.")]
    public void Dispose()
    {
        // The source is not disposed: the writer may still look at it, and it holds nothing.
        _queue.Writer.TryComplete();
        _closing.Cancel();
        _writing.Wait(TimeSpan.FromSeconds(5));
    }

    /// <summary>Reads a block.</summary>
    /// <returns>Whether it was there, undamaged.</returns>
    internal bool TryRead(CacheKey key, Span<byte> target)
    {
        bool isFound = TryReadPending(key, target) || TryReadFile(key, target);
        Interlocked.Increment(ref isFound ? ref _hits : ref _misses);
        return isFound;
    }

    /// <summary>Keeps a copy of a block, if there is room and time.</summary>
    internal void Keep(CacheKey key, ReadOnlySpan<byte> block)
    {
        int length = CacheFile.HeaderSize + block.Length;
        if (Interlocked.Add(ref _pendingBytes, length) > _options.PendingBytes || _closing.IsCancellationRequested)
        {
            Interlocked.Add(ref _pendingBytes, -length);
            Interlocked.Increment(ref _lost);
            return;
        }

        byte[] file = new byte[length];
        block.CopyTo(file.AsSpan(CacheFile.HeaderSize));
        if (!_pending.TryAdd(key, file) || !_queue.Writer.TryWrite(key))
        {
            Interlocked.Add(ref _pendingBytes, -length);
        }
    }

    /// <summary>Takes a block away. One that is being written this very moment may stay; whoever finds it damaged again says so again.</summary>
    internal void Forget(CacheKey key)
    {
        if (_pending.TryRemove(key, out byte[]? file))
        {
            Interlocked.Add(ref _pendingBytes, -file.Length);
        }

        Discard(key.FileIn(_root));
    }

    private bool TryReadPending(CacheKey key, Span<byte> target)
    {
        if (!_pending.TryGetValue(key, out byte[]? file) || file.Length != target.Length + CacheFile.HeaderSize)
        {
            return false;
        }

        file.AsSpan(CacheFile.HeaderSize).CopyTo(target);
        return true;
    }

    private bool TryReadFile(CacheKey key, Span<byte> target)
    {
        string path = key.FileIn(_root);
        int length = CacheFile.HeaderSize + target.Length;
        byte[] file = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            using SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            if (CacheFile.TryRead(handle, file.AsSpan(0, length), key))
            {
                file.AsSpan(CacheFile.HeaderSize, target.Length).CopyTo(target);
                NoteUse(handle);
                return true;
            }

            Interlocked.Increment(ref _damaged);
            File.Delete(path);
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException)
        {
            // Not there, or not to be had: it is read from where it came.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(file);
        }

        return false;
    }

    private void NoteUse(SafeFileHandle handle)
    {
        DateTime now = _options.TimeProvider.GetUtcNow().UtcDateTime;
        if (now - File.GetLastWriteTimeUtc(handle) > UseStep)
        {
            File.SetLastWriteTimeUtc(handle, now);
        }
    }

    private async Task WriteAllAsync()
    {
        try
        {
            await foreach (CacheKey key in _queue.Reader.ReadAllAsync(_closing.Token).ConfigureAwait(false))
            {
                if (!_pending.TryGetValue(key, out byte[]? file))
                {
                    continue;
                }

                bool isWritten = await TryWriteAsync(key, file).ConfigureAwait(false);
                Interlocked.Increment(ref isWritten ? ref _written : ref _lost);
                if (_pending.TryRemove(new KeyValuePair<CacheKey, byte[]>(key, file)))
                {
                    Interlocked.Add(ref _pendingBytes, -file.Length);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Closed.
        }
    }

    private async Task<bool> TryWriteAsync(CacheKey key, byte[] file)
    {
        string path = key.FileIn(_root);
        string? temporary = null;
        try
        {
            CacheFile.WriteHeader(file, key);
            using FileStream? stream = await _budget.ReserveAsync(key.FolderIn(_root), file.Length, _closing.Token).ConfigureAwait(false);
            if (stream is null)
            {
                return false;
            }

            temporary = stream.Name;
            await stream.WriteAsync(file, _closing.Token).ConfigureAwait(false);
            File.Move(temporary, path, overwrite: true);
            return true;
        }
        catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            // A full disk, most likely. The count keeps what was reserved until it is counted anew.
            Discard(temporary);
            return false;
        }
    }

    private static void Discard(string? temporary)
    {
        try
        {
            if (temporary is not null)
            {
                File.Delete(temporary);
            }
        }
        catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException)
        {
            // Taken away later by whoever makes room.
        }
    }
}
