using System;
using System.Buffers;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>
/// Stores what was written to a shared image. Pages are write-protected in every client first, then read from the memory file and given to the store; a write
/// that comes meanwhile is noted and let through, and the chunk goes to the store once more. Reads go on all the time.
/// </summary>
internal static class WriteBack
{
    /// <summary>The most bytes of one write.</summary>
    public const int LongestWrite = 1 << 20;

    /// <summary>How long a store that failed is left alone, unless someone asks for it.</summary>
    private static readonly TimeSpan HoldOff = TimeSpan.FromMilliseconds(20);

    /// <summary>Stores chunks and waits for that, as long as a load may take.</summary>
    public static void Store(LoadTable table, ReadOnlySpan<int> wanted)
    {
        TableWrites writes = table.Writes!;
        if (writes.IsHeldOff(table.Core.Now()))
        {
            return;
        }

        List<PageRun> runs = [];
        writes.BeginStore(wanted, runs);
        if (runs.Count != 0)
        {
            bool isProtected = Protect(table, runs);
            writes.EndProtect(runs);
            Finish(table, runs, isProtected);
        }
    }

    /// <summary>Stores everything that was written before now, leased or not.</summary>
    /// <exception cref="WriteBackException">Something could not be stored.</exception>
    public static void Flush(LoadTable table)
    {
        TableWrites writes = table.Writes!;
        using Parker pause = new();
        Exception? cause = null;
        ulong offset = 0;
        ulong length = 0;
        List<PageRun> run = [];
        for (int chunk = writes.NextWritten(0); chunk >= 0; chunk = writes.NextWritten(chunk + 1))
        {
            long begun = table.Core.Now();
            PageRun pages = table.Eviction.PagesOfChunk(chunk);
            Exception? failure = null;
            while (true)
            {
                (bool isBegun, bool needsProtection, bool isUnderWay) = writes.BeginFlush(chunk);
                if (isBegun)
                {
                    run.Clear();
                    run.Add(pages);
                    bool isProtected = !needsProtection || Protect(table, run);
                    if (needsProtection)
                    {
                        writes.EndProtect(run);
                    }

                    failure = Finish(table, run, isProtected);
                    if (isProtected || table.Core.Elapsed(begun, table.Core.Now()) >= table.Core.Options.LoadDeadline)
                    {
                        break;
                    }
                }
                else if (!isUnderWay)
                {
                    break;
                }
                else if (table.Core.Elapsed(begun, table.Core.Now()) >= table.Core.Options.LoadDeadline)
                {
                    failure = new TimeoutException($"The store of '{table.Image.Name}' did not answer within {table.Core.Options.LoadDeadline}.");
                    break;
                }

                pause.Park(1);
            }

            if (failure is not null)
            {
                offset = cause is null ? table.OffsetOf(pages.First) : offset;
                cause ??= failure;
                length += (ulong)pages.Count * PageSize.Small;
            }
        }

        if (cause is not null)
        {
            throw new WriteBackException(table.Image.Name, offset, length, cause);
        }
    }

    /// <summary>Protects pages in every client. False if an address space is changing just now.</summary>
    private static bool Protect(LoadTable table, List<PageRun> runs)
    {
        bool isProtected = true;
        foreach (PagerClient? client in table.Core.Clients)
        {
            if (client is null || !Array.Exists(client.RegionArray, region => region.Pages.WritesBack && ReferenceEquals(region.Pages.Table, table)))
            {
                continue;
            }

            // For writing: an install that was decided on before the chunk was on its way to the store ends first, and is protected too.
            using RankedSharedLock.WriteScope held = client.Guard.EnterWrite();
            foreach (Region region in client.RegionArray)
            {
                if (region.Pages.WritesBack && ReferenceEquals(region.Pages.Table, table) && !client.HasEnded)
                {
                    isProtected &= ProtectIn(client, region, runs);
                }
            }
        }

        return isProtected;
    }

    private static bool ProtectIn(PagerClient client, Region region, List<PageRun> runs)
    {
        foreach (PageRun run in runs)
        {
            int first = Math.Max(run.First - region.Pages.TableBase, region.FirstPage);
            int end = Math.Min(run.End - region.Pages.TableBase, region.EndPage);
            for (int page = first; page < end;)
            {
                int count = end - page;
                SystemResult result = client.Context.WriteProtect(region.AddressesOf(page, count), WriteProtectModes.Protect);
                if (result.Errno == Errno.ENOENT && count > 1)
                {
                    // A part is unmapped and we were not told: page by page, and what is unmapped is written by nobody.
                    count = 1;
                    result = client.Context.WriteProtect(region.AddressesOf(page, count), WriteProtectModes.Protect);
                }

                if (result.Errno is not (Errno.None or Errno.ENOENT or Errno.ESRCH))
                {
                    return false;
                }

                page += count;
            }
        }

        return true;
    }

    [SuppressMessage("Usage", "VSTHRD002", Justification = "On the evictor's thread, or on that of a caller of Flush: neither is a handler, and the wait has a deadline.")]
    private static Exception? Finish(LoadTable table, List<PageRun> runs, bool isProtected)
    {
        if (!isProtected)
        {
            foreach (PageRun run in runs)
            {
                table.Writes!.EndStore(run, new NoRoomException("The address space of a client is changing."), 0, retryAt: 0);
            }

            return null;
        }

        using CancellationTokenSource deadline = new();
        Task<Exception?>[] writing = [.. runs.ConvertAll(run => StoreAsync(table, run, deadline.Token))];
        if (!Task.WhenAll(writing).Wait(table.Core.Options.LoadDeadline))
        {
            // What has not ended stays on its way, and is written to nobody's surprise when it does.
            deadline.Cancel();
            return new TimeoutException($"The store of '{table.Image.Name}' did not take the bytes within {table.Core.Options.LoadDeadline}.");
        }

        return Array.Find(writing, static task => task.Result is not null)?.Result;
    }

    /// <summary>Stores whole chunks, of which only the cached pages count: the rest is as the store has it.</summary>
    private static async Task<Exception?> StoreAsync(LoadTable table, PageRun run, CancellationToken cancellation)
    {
        byte[] contents = ArrayPool<byte>.Shared.Rent(run.Count * (int)PageSize.Small);
        List<PageRun> cached = [];
        Exception? cause = ReadCached(table, run, contents, cached);
        int stored = 0;
        var store = (IWritablePageStore)table.Image.Store;
        for (int i = 0; i < cached.Count && cause is null; i++)
        {
            ulong offset = table.OffsetOf(cached[i].First);
            int length = (int)Math.Min((ulong)cached[i].Count * PageSize.Small, table.Image.Length - offset);
            try
            {
                StoreWrite write = await store
                    .WriteAsync(offset, contents.AsMemory((cached[i].First - run.First) * (int)PageSize.Small, length), cancellation)
                    .ConfigureAwait(false);
                cause = write.Cause;
            }
            catch (Exception thrown)
            {
                cause = thrown;
            }

            stored += cause is null ? cached[i].Count : 0;
        }

        ArrayPool<byte>.Shared.Return(contents);
        table.Writes!.EndStore(run, cause, stored, table.Core.Now() + table.Core.Ticks(HoldOff));
        if (cause is not null)
        {
            table.Core.Log.WriteFailed(table.Image.Name, table.OffsetOf(run.First), (ulong)run.Count * PageSize.Small, cause);
        }

        return cause;
    }

    private static MemoryEngineException? ReadCached(LoadTable table, PageRun run, byte[] contents, List<PageRun> cached)
    {
        for (int page = run.First; page < run.End; page++)
        {
            if (table.States[page] != PageState.Cached)
            {
                continue;
            }

            int first = page;
            while (page + 1 < run.End && table.States[page + 1] == PageState.Cached)
            {
                page++;
            }

            PageRun pages = new(first, page + 1 - first);
            Span<byte> target = contents.AsSpan((first - run.First) * (int)PageSize.Small, pages.Count * (int)PageSize.Small);
            while (!target.IsEmpty)
            {
                SystemResult<int> read = table.Image.File.Read(table.OffsetOf(pages.End) - (ulong)target.Length, target);
                if (!read.IsOk || read.Value == 0)
                {
                    return new MemoryEngineException(
                        "pread", default, read.Errno, $"The page cache of '{table.Image.Name}' could not be read; its file was shortened or closed.");
                }

                target = target[read.Value..];
            }

            cached.Add(pages);
        }

        return null;
    }
}
