using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;
using Microsoft.Win32.SafeHandles;

namespace Faultline.Cli.Images;

/// <summary>The image to restore: checked once, before anything is started, so that every later step may rely on it.</summary>
/// <param name="Path">The full path.</param>
/// <param name="LengthBytes">Its length: a multiple of the page size, and not zero.</param>
internal sealed record ImageFile(string Path, long LengthBytes)
{
    private const int BlockBytes = 1 << 20;

    public int Pages => (int)(LengthBytes / PageChecksum.PageBytes);

    /// <summary>Checks that the file can be restored from.</summary>
    /// <exception cref="ToolException">It cannot: one sentence says why.</exception>
    public static ImageFile Check(string path)
    {
        string full = System.IO.Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw ToolException.BadInput($"The image {path} is a directory; name a file.");
        }

        if (!File.Exists(full))
        {
            throw ToolException.BadInput($"The image {path} does not exist.");
        }

        long length = LengthOf(path, full);
        if (length == 0)
        {
            throw ToolException.BadInput($"The image {path} is empty, so there is nothing to restore.");
        }

        if (length % PageChecksum.PageBytes != 0)
        {
            throw ToolException.BadInput(
                $"The image {path} has {length} bytes, which is not a multiple of the page size (4096): pad a copy of it with `truncate -s %4096`.");
        }

        return length / PageChecksum.PageBytes <= Array.MaxLength
            ? new ImageFile(full, length)
            : throw ToolException.BadInput($"The image {path} has more than {Array.MaxLength} pages, which is more than this tool keeps checksums for.");
    }

    /// <summary>Reads the whole image once and computes the checksum of every page.</summary>
    public ulong[] ComputeChecksums(CancellationToken cancellation)
    {
        ulong[] checksums = new ulong[Pages];
        byte[] block = GC.AllocateUninitializedArray<byte>(BlockBytes);
        using SafeFileHandle file = File.OpenHandle(Path);
        int page = 0;
        while (page < checksums.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            int wanted = (int)Math.Min(BlockBytes, LengthBytes - ((long)page * PageChecksum.PageBytes));
            ReadExactly(file, block.AsSpan(0, wanted), (long)page * PageChecksum.PageBytes);
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

    private void ReadExactly(SafeFileHandle file, Span<byte> target, long offset)
    {
        while (!target.IsEmpty)
        {
            int read = RandomAccess.Read(file, target, offset);
            if (read == 0)
            {
                throw new ToolException(ExitCode.Failed, $"The image {Path} became shorter while it was read.");
            }

            target = target[read..];
            offset += read;
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
