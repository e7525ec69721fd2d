using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;

namespace Faultline.Paging;

/// <summary>Which pages of an image were touched, in the order of the first touches. Recorded once, replayed ahead of the faults of later runs.</summary>
public sealed class WorkingSet
{
    private const string Format = "faultline working set";
    private const int Version = 1;
    private const int NumbersOfTouch = 4;
    private const long MostBytes = 256L << 20;

    /// <summary>Makes a working set of touches.</summary>
    /// <param name="imageBytes">The length of the image.</param>
    /// <param name="touches">The touches, in order.</param>
    /// <exception cref="InvalidDataException">A touch lies beyond the image.</exception>
    public WorkingSet(ulong imageBytes, IReadOnlyList<PageTouch> touches)
    {
        ArgumentNullException.ThrowIfNull(touches);
        ulong pages = PageCount.FromBytes(imageBytes).Value;
        foreach (PageTouch touch in touches)
        {
            if (touch.Page < 0 || touch.Count < 1 || (ulong)touch.Page + (ulong)touch.Count > pages)
            {
                throw new InvalidDataException($"The touch of {touch.Count} pages from page {touch.Page} on does not lie in an image of {pages} pages.");
            }
        }

        ImageBytes = imageBytes;
        Touches = touches;
    }

    /// <summary>The length of the image it was recorded of.</summary>
    public ulong ImageBytes { get; }

    /// <summary>The touches, in order.</summary>
    public IReadOnlyList<PageTouch> Touches { get; }

    /// <summary>Reads a file that <see cref="Save"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">It could not be read.</exception>
    /// <exception cref="InvalidDataException">It is no working set; the message says why.</exception>
    public static WorkingSet Load(string path)
    {
        using FileStream file = File.OpenRead(path);
        if (file.Length > MostBytes)
        {
            throw new InvalidDataException($"'{path}' has {file.Length} bytes; a working set has at most {MostBytes}.");
        }

        try
        {
            WorkingSetDocument document = JsonSerializer.Deserialize(file, WorkingSetJson.Default.WorkingSetDocument)
                ?? throw new InvalidDataException($"'{path}' is empty.");
            if (document.Format != Format || document.Version != Version)
            {
                throw new InvalidDataException($"'{path}' is '{document.Format}' version {document.Version}, not '{Format}' version {Version}.");
            }

            return new WorkingSet(document.ImageBytes, Array.ConvertAll(document.Touches, Read));
        }
        catch (JsonException cause)
        {
            throw new InvalidDataException($"'{path}' is not the JSON of a working set: {cause.Message}", cause);
        }
    }

    /// <summary>Writes a JSON file, in one step: it is all there, or what was there before.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">It could not be written.</exception>
    public void Save(string path)
    {
        int[][] touches = new int[Touches.Count][];
        for (int i = 0; i < touches.Length; i++)
        {
            PageTouch touch = Touches[i];
            touches[i] = [touch.Page, touch.Count, (int)touch.Kind, touch.IsWrite ? 1 : 0];
        }

        WorkingSetDocument document = new() { Format = Format, Version = Version, ImageBytes = ImageBytes, Touches = touches };
        string beside = path + ".part";
        try
        {
            using (FileStream file = File.Create(beside))
            {
                JsonSerializer.Serialize(file, document, WorkingSetJson.Default.WorkingSetDocument);
            }

            File.Move(beside, path, overwrite: true);
        }
        finally
        {
            File.Delete(beside);
        }
    }

    private static PageTouch Read(int[]? numbers) =>
        numbers is { Length: NumbersOfTouch } && Enum.IsDefined((PageFaultKind)numbers[2])
            ? new PageTouch(numbers[0], numbers[1], (PageFaultKind)numbers[2], numbers[3] != 0)
            : throw new InvalidDataException("A touch is not four numbers: page, count, kind (0 missing, 1 minor, 2 write-protect), write.");
}
