using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Stores;

/// <summary>
/// Keeps a folder of blocks under its budget, for all processes that share it. Room is reserved before anything is written, by a file of its full
/// length that is made while the lock is held; so what the folder takes is never more than the count, and the count never more than the budget.
/// </summary>
internal sealed class CacheBudget(string root, BlockCacheOptions options)
{
    public const string TemporarySuffix = ".tmp";

    private const string LockName = "lock";
    private const string CountName = "count";
    private const int LockAttempts = 200;

    /// <summary>What a process that crashed left half written is taken away after this time.</summary>
    private static readonly TimeSpan StaleAfter = TimeSpan.FromMinutes(10);

    private long _evicted;

    public long Evicted => Interlocked.Read(ref _evicted);

    /// <summary>Makes a temporary file of a length in a folder, and makes room for it by taking away what was not used longest.</summary>
    /// <returns>The open file, or null if the lock could not be had in time, or no room.</returns>
    /// <exception cref="IOException">The disk is full, or the folder cannot be written.</exception>
    public async Task<FileStream?> ReserveAsync(string folder, long length, CancellationToken cancellation)
    {
        using FileStream? held = await LockAsync(cancellation).ConfigureAwait(false);
        if (held is null)
        {
            return null;
        }

        long room = OnDisk(length);
        long used = ReadCount();
        if (used < 0 || used + room > options.BudgetBytes)
        {
            used = Trim((options.BudgetBytes * 3 / 4) - room);
            if (used + room > options.BudgetBytes)
            {
                WriteCount(used);
                return null;
            }
        }

        WriteCount(used + room);
        Directory.CreateDirectory(folder);
        var file = new FileStream(
            Path.Combine(folder, Path.GetRandomFileName() + TemporarySuffix), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        file.SetLength(length);
        return file;
    }

    /// <summary>What a file takes on the disk.</summary>
    private static long OnDisk(long length) => (length + 4095) / 4096 * 4096;

    /// <summary>The lock between processes is a file opened for one alone (flock); it is free again when its holder dies.</summary>
    private async Task<FileStream?> LockAsync(CancellationToken cancellation)
    {
        for (int attempt = 0; attempt < LockAttempts; attempt++)
        {
            try
            {
                return new FileStream(Path.Combine(root, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            }
            catch (IOException) when (Directory.Exists(root))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(2), cancellation).ConfigureAwait(false);
            }
        }

        return null;
    }

    /// <summary>The bytes reserved, or a negative number if nobody has counted, or the count was half written.</summary>
    private long ReadCount()
    {
        Span<byte> bytes = stackalloc byte[16];
        try
        {
            using FileStream file = File.OpenRead(Path.Combine(root, CountName));
            if (file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) != bytes.Length)
            {
                return -1;
            }
        }
        catch (FileNotFoundException)
        {
            return -1;
        }

        long count = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        return BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]) == ~count ? count : -1;
    }

    private void WriteCount(long count)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, count);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], ~count);
        using var file = new FileStream(Path.Combine(root, CountName), FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
        file.Write(bytes);
    }

    /// <summary>Counts everything, and takes away what was not used longest until so much is left.</summary>
    private long Trim(long wanted)
    {
        DateTime stale = options.TimeProvider.GetUtcNow().UtcDateTime - StaleAfter;
        List<(DateTime Used, long Bytes, string Path)> blocks = [];
        long used = 0;
        foreach (string folder in Directory.GetDirectories(root))
        {
            foreach (FileInfo file in new DirectoryInfo(folder).EnumerateFiles())
            {
                (DateTime lastUsed, long bytes) = (file.LastWriteTimeUtc, OnDisk(file.Exists ? file.Length : 0));
                bool isTemporary = file.Name.EndsWith(TemporarySuffix, StringComparison.Ordinal);
                used += bytes;
                if (!isTemporary || lastUsed < stale)
                {
                    blocks.Add((isTemporary ? DateTime.MinValue : lastUsed, bytes, file.FullName));
                }
            }
        }

        blocks.Sort(static (left, right) => left.Used.CompareTo(right.Used));
        foreach ((_, long bytes, string path) in blocks)
        {
            if (used <= wanted)
            {
                break;
            }

            File.Delete(path);
            used -= bytes;
            Interlocked.Increment(ref _evicted);
        }

        return used;
    }
}
