using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;
using Faultline.Stores;
using Microsoft.Win32.SafeHandles;

namespace Faultline.Cli.Images;

/// <summary>The image to restore: checked once, before anything is started, so that every later step may rely on it.</summary>
/// <param name="Path">The full path, or the address.</param>
/// <param name="LengthBytes">Its length: a multiple of the page size, and not zero.</param>
/// <param name="IsPlain">Whether it is a file on this machine that holds the image's bytes as they are.</param>
/// <param name="Cache">What stands before it if it is remote.</param>
internal sealed record ImageFile(string Path, long LengthBytes, bool IsPlain, ToolCache Cache)
{
    private const int BlockBytes = 1 << 20;

    public int Pages => (int)(LengthBytes / PageChecksum.PageBytes);

    /// <summary>Checks that the image can be restored from.</summary>
    /// <exception cref="ToolException">It cannot: one sentence says why.</exception>
    public static async Task<ImageFile> CheckAsync(string path, ToolCache cache, CancellationToken cancellation)
    {
        bool isRemote = StoreAddresses.IsRemote(path);
        string full = isRemote ? path : System.IO.Path.GetFullPath(path);
        if (!isRemote)
        {
            CheckOrdinary(path, full);
        }

        using IPageStore store = await ToolStores.OpenAsync(path, cancellation, cache).ConfigureAwait(false);
        long length = (long)store.Length;
        if (length % PageChecksum.PageBytes != 0)
        {
            string advice = !isRemote && store is FilePageStore ? ": pad a copy of it with `truncate -s %4096`." : ".";
            throw ToolException.BadInput($"The image {path} has {length} bytes, which is not a multiple of the page size (4096){advice}");
        }

        return length / PageChecksum.PageBytes <= Array.MaxLength
            ? new ImageFile(full, length, !isRemote && store is FilePageStore, cache)
            : throw ToolException.BadInput($"The image {path} has more than {Array.MaxLength} pages, which is more than this tool keeps checksums for.");
    }

    /// <summary>Reads the whole image once and computes the checksum of every page.</summary>
    public async Task<ulong[]> ComputeChecksumsAsync(CancellationToken cancellation)
    {
        ulong[] checksums = new ulong[Pages];
        byte[] block = GC.AllocateUninitializedArray<byte>(BlockBytes);
        using IPageStore store = await ToolStores.OpenAsync(Path, cancellation, Cache).ConfigureAwait(false);
        int page = 0;
        while (page < checksums.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            long start = (long)page * PageChecksum.PageBytes;
            int wanted = (int)Math.Min(BlockBytes, LengthBytes - start);
            StoreRead read = await store.ReadAsync((ulong)start, block.AsMemory(0, wanted), cancellation).ConfigureAwait(false);
            if (read.Cause is { } cause)
            {
                throw new ToolException(ExitCode.Failed, $"The image {Path} cannot be read: {Sentence.Of(cause)}", cause);
            }

            if (read.BytesRead != wanted)
            {
                throw new ToolException(ExitCode.Failed, $"The image {Path} became shorter while it was read.");
            }

            for (int offset = 0; offset < wanted; offset += PageChecksum.PageBytes)
            {
                checksums[page++] = PageChecksum.Of(block.AsSpan(offset, PageChecksum.PageBytes));
            }
        }

        return checksums;
    }

    public static void WriteChecksums(string path, ulong[] checksums)
    {
        using FileStream stream = File.Create(path);
        stream.Write(MemoryMarshal.AsBytes(checksums.AsSpan()));
    }

    public static ulong[] ReadChecksums(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        return MemoryMarshal.Cast<byte, ulong>(bytes).ToArray();
    }

    private static void CheckOrdinary(string path, string full)
    {
        if (Directory.Exists(full))
        {
            throw ToolException.BadInput($"The image {path} is a directory; name a file.");
        }

        if (!File.Exists(full))
        {
            throw ToolException.BadInput($"The image {path} does not exist.");
        }

        if (LengthOf(path, full) == 0)
        {
            throw ToolException.BadInput($"The image {path} is empty, so there is nothing to restore.");
        }
    }

    private static long LengthOf(string path, string full)
    {
        try
        {
            if ((File.GetAttributes(full) & FileAttributes.Device) != 0)
            {
                throw ToolException.BadInput($"The image {path} is a device; name an ordinary file.");
            }

            using SafeFileHandle file = File.OpenHandle(full);
            return RandomAccess.GetLength(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw ToolException.BadInput($"The image {path} cannot be read: {Sentence.Of(e)}");
        }
    }
}
