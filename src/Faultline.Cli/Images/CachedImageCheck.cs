using System;
using System.Globalization;
using System.IO;

namespace Faultline.Cli.Images;

/// <summary>Compares the pages an image's memory file holds with the checksums of the image: no clone's write may have reached it.</summary>
internal static class CachedImageCheck
{
    private const int BlockBytes = 1 << 20;

    /// <summary>Null if every cached page is as it was, or there are no checksums; else one sentence.</summary>
    public static string? FindChange(IMemoryFile file, string checksumsPath)
    {
        if (!File.Exists(checksumsPath))
        {
            return null;
        }

        ulong[] checksums = ImageFile.ReadChecksums(checksumsPath);
        byte[] block = GC.AllocateUninitializedArray<byte>(BlockBytes);
        ulong offset = 0;
        while (file.FindData(offset) is { IsOk: true } data)
        {
            ulong end = file.FindHole(data.Value).OrThrow("lseek(SEEK_HOLE)");
            for (offset = data.Value; offset < end; offset += BlockBytes)
            {
                Span<byte> part = block.AsSpan(0, (int)Math.Min(BlockBytes, end - offset));
                int read = file.Read(offset, part).OrThrow("reading the cached image");
                int changed = FindChangedPage(part[..read], checksums.AsSpan((int)(offset / PageChecksum.PageBytes)));
                if (changed >= 0)
                {
                    ulong page = (offset / PageChecksum.PageBytes) + (ulong)changed;
                    return string.Create(CultureInfo.InvariantCulture, $"Page {page} of the cached image was changed.");
                }
            }

            offset = end;
        }

        return null;
    }

    private static int FindChangedPage(ReadOnlySpan<byte> bytes, ReadOnlySpan<ulong> checksums)
    {
        for (int page = 0; page < bytes.Length / PageChecksum.PageBytes; page++)
        {
            if (PageChecksum.Of(bytes.Slice(page * PageChecksum.PageBytes, PageChecksum.PageBytes)) != checksums[page])
            {
                return page;
            }
        }

        return -1;
    }
}
