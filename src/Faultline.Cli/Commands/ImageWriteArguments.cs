using System;
using System.Globalization;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Cli.Images;
using Faultline.Stores;

namespace Faultline.Cli.Commands;

/// <summary>Reads how an image is to be written. Each wrong word is answered with one sentence that says what is allowed.</summary>
internal static class ImageWriteArguments
{
    private const int SmallestChunk = 4 << 10;
    private const int LargestChunk = 16 << 20;

    /// <summary>A size as <c>65536</c>, <c>64K</c> or <c>1M</c>.</summary>
    public static int? ChunkBytes(string? text)
    {
        if (text is null)
        {
            return null;
        }

        int shift = text.Length == 0 ? 0 : text[^1] switch
        {
            'K' or 'k' => 10,
            'M' or 'm' => 20,
            _ => 0,
        };
        ReadOnlySpan<char> digits = shift == 0 ? text : text.AsSpan(0, text.Length - 1);
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            && number is > 0 and <= LargestChunk && number << shift is >= SmallestChunk and <= LargestChunk && long.IsPow2(number << shift)
            ? (int)(number << shift)
            : throw ToolException.BadInput($"--chunk must be a power of two from 4K to 16M, not '{text}'.");
    }

    public static ImageCompression Compression(string text) => text switch
    {
        "zstd" => ImageCompression.Zstandard,
        "none" => ImageCompression.None,
        _ => throw ToolException.BadInput($"--compress must be zstd or none, not '{text}'."),
    };

    public static int Level(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int level) && level is >= 1 and <= 19
            ? level
            : throw ToolException.BadInput($"--level must be a whole number from 1 to 19, not '{text}'.");

    /// <summary>Opens the base of a new image, and says what it is called in there.</summary>
    /// <exception cref="ToolException">It cannot be the base of an image at that place.</exception>
    public static async Task<(ImagePageStore Image, string Name)> OpenBaseAsync(string path, string target, CancellationToken cancellation)
    {
        if (StoreAddresses.IsRemote(path))
        {
            throw ToolException.BadInput("--base must be a file: a layer finds its base by a path below its own folder.");
        }

        string folder = Path.GetDirectoryName(Path.GetFullPath(target))!;
        string name = Path.GetRelativePath(folder, Path.GetFullPath(path)).Replace(Path.DirectorySeparatorChar, '/');
        if (name.StartsWith("../", StringComparison.Ordinal) || Path.IsPathRooted(name))
        {
            throw ToolException.BadInput($"The base {path} is not in the folder of {target}, nor below it: a layer finds its base by a path below its own folder.");
        }

        ImagePageStore image = await ToolStores.OpenImageAsync(path, cancellation).ConfigureAwait(false);
        string below = Path.GetFullPath(path);
        for (ImagePageStore? layer = image; layer is not null; layer = layer.BaseImage)
        {
            if (below == Path.GetFullPath(target))
            {
                image.Dispose();
                throw ToolException.BadInput($"{target} is one of the images that the base {path} is made of, so it cannot be replaced by a layer on it.");
            }

            below = layer.Base is { } next ? Path.GetFullPath(Path.Combine(Path.GetDirectoryName(below)!, next.Name)) : below;
        }

        return (image, name);
    }

    /// <summary>Checks before a long work that its result can be written.</summary>
    /// <exception cref="ToolException">It cannot.</exception>
    public static void CheckTarget(string target)
    {
        string full = Path.GetFullPath(target);
        if (StoreAddresses.IsRemote(target) || Directory.Exists(full) || !Directory.Exists(Path.GetDirectoryName(full)))
        {
            throw ToolException.BadInput($"{target} cannot be written: name a file in a folder that exists.");
        }
    }
}
