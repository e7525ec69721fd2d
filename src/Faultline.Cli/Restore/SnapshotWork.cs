using System;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Threading.Tasks;
using Faultline.Cli.Json;
using Faultline.Paging;
using Faultline.Stores;

namespace Faultline.Cli.Restore;

/// <summary>Saves the memory of a clone: as a layer of what it changed, if the image is of the format <c>.flt</c> and lies where a layer can name it.</summary>
internal static class SnapshotWork
{
    /// <summary>Freezes the memory, and writes it to a file.</summary>
    /// <param name="client">The clone, as the pager knows it.</param>
    /// <param name="space">Its address space.</param>
    /// <param name="image">What the pager serves.</param>
    /// <param name="imagePath">Where that is.</param>
    /// <param name="path">Where the snapshot shall be.</param>
    public static async Task<SnapshotDocument> SaveAsync(PagerClient client, IAddressSpace space, IPageStore image, string imagePath, string path)
    {
        try
        {
            string? name = image is ImagePageStore ? NameFrom(path, imagePath) : null;
            ImageWriterOptions options = name is null ? new() : new() { Base = (ImagePageStore)image, BaseName = name };
            using var snapshot = MemorySnapshot.Take(client, space, client.Regions[0]);
            ImageWritten written = await ImageBuilder.CreateAsync(snapshot, path, options).ConfigureAwait(false);
            return Describe(path) with
            {
                Base = name,
                FileBytes = (long)written.FileLength,
                StoredChunks = written.StoredChunks,
                InheritedChunks = written.InheritedChunks,
                ZeroChunks = written.ZeroChunks,
                ProtectMs = Math.Round(snapshot.ProtectTime.TotalMilliseconds, 3),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or MemoryEngineException or PageLoadException or InvalidOperationException)
        {
            return Describe(path) with { Failure = $"The snapshot could not be written: {Sentence.OneLine(e.Message)}" };
        }
    }

    /// <summary>The same, for a process that has nothing else to do meanwhile.</summary>
    [SuppressMessage("Usage", "VSTHRD002", Justification = "There is no synchronisation context, and nothing else to do.")]
    public static SnapshotDocument Save(PagerClient client, IAddressSpace space, IPageStore image, string imagePath, string path) =>
        SaveAsync(client, space, image, imagePath, path).GetAwaiter().GetResult();

    /// <summary>What is told when there was no clone to save.</summary>
    public static SnapshotDocument Missing(string path) => Describe(path) with { Failure = "The snapshot could not be written: the first clone is gone." };

    private static SnapshotDocument Describe(string path) =>
        new() { Path = path, FileBytes = 0, StoredChunks = 0, InheritedChunks = 0, ZeroChunks = 0, ProtectMs = 0 };

    /// <summary>A base is named from the layer's folder, and is in it or below it.</summary>
    private static string? NameFrom(string path, string imagePath)
    {
        if (StoreAddresses.IsRemote(imagePath))
        {
            return null;
        }

        string name = Path.GetRelativePath(Path.GetDirectoryName(path)!, Path.GetFullPath(imagePath)).Replace(Path.DirectorySeparatorChar, '/');
        bool canBeNamed = !Path.IsPathRooted(name) && !name.StartsWith("../", StringComparison.Ordinal) && name.AsSpan().IndexOfAny(":?#\\") < 0;
        return canBeNamed ? name : null;
    }
}
