using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Cli.Images;
using Faultline.Cli.Json;
using Faultline.Cli.Output;
using Faultline.Paging;
using Faultline.Stores;
using Spectre.Console;

namespace Faultline.Cli.Commands;

/// <summary><c>faultline image inspect</c>: what an image is made of, from its index alone.</summary>
internal static class ImageInspectCommand
{
    private const int MostRows = 40;

    private static readonly Argument<string> Image = ImageCommand.ImageArgument();
    private static readonly Option<bool> Json = ImageCommand.JsonOption();

    public static Command Create()
    {
        var command = new Command("inspect", "Shows what an image is made of, without reading its contents.") { Image, Json };
        command.SetAction(static (parsed, _) => ImageWork.RunAsync(parsed.GetValue(Json), work => RunAsync(parsed.GetRequiredValue(Image), work)));
        return command;
    }

    private static async Task<int> RunAsync(string address, ImageWork work)
    {
        using IPageStore store = await ToolStores.OpenAsync(address, work.Token).ConfigureAwait(false);
        var document = new ImageInspectDocument
        {
            Image = address,
            Kind = store is ImagePageStore ? "flt" : store is CorePageStore ? "core" : "plain",
            LengthBytes = store.Length,
            Layers = store is ImagePageStore image ? await LayersAsync(image, work.Token).ConfigureAwait(false) : null,
            Segments = (store as CorePageStore)?.Segments.Select(static segment => Describe(segment)).ToList(),
        };
        if (work.IsJson)
        {
            JsonOutput.Write(document, FaultlineJson.Default.ImageInspectDocument);
        }
        else
        {
            Print(work.Console, document);
        }

        return ExitCode.Done;
    }

    private static async Task<List<ImageLayerDocument>> LayersAsync(ImagePageStore top, CancellationToken cancellation)
    {
        List<ImageLayerDocument> layers = [];
        for (ImagePageStore? image = top; image is not null; image = image.BaseImage)
        {
            ImageContents contents = await ImageSurvey.CountAsync(image, cancellation).ConfigureAwait(false);
            layers.Add(new ImageLayerDocument
            {
                Name = image.Name,
                Digest = image.Digest.ToString(),
                LengthBytes = image.Length,
                FileBytes = image.FileLength,
                ChunkBytes = image.ChunkBytes,
                ZeroChunks = contents.ZeroChunks,
                InheritedChunks = contents.InheritedChunks,
                RawChunks = contents.RawChunks,
                CompressedChunks = contents.CompressedChunks,
                SharedChunks = contents.SharedChunks,
                StoredBytes = contents.StoredBytes,
            });
        }

        return layers;
    }

    private static CoreSegmentDocument Describe(CoreSegment segment) =>
        new(string.Create(CultureInfo.InvariantCulture, $"0x{segment.Address:x}"), segment.ImageOffset, segment.Length, segment.FileLength);

    private static void Print(IAnsiConsole console, ImageInspectDocument document)
    {
        string kind = document.Kind switch
        {
            "flt" => "an image of the format .flt",
            "core" => "the memory in an ELF core dump",
            _ => "plain bytes",
        };
        console.WriteLine($"{document.Image}: {kind}, {Amount.Bytes((long)document.LengthBytes)}");
        if (document.Layers is { } layers)
        {
            Print(console, layers);
        }

        if (document.Segments is { } segments)
        {
            Print(console, segments);
        }
    }

    private static void Print(IAnsiConsole console, IReadOnlyList<ImageLayerDocument> layers)
    {
        Table table = NewTable("", "file", "chunks of", "stored", "compressed", "equal", "zero", "from below");
        foreach (ImageLayerDocument layer in layers.Take(MostRows))
        {
            table.AddRow(
                Markup.Escape(layer.Name),
                Amount.Bytes((long)layer.FileBytes),
                Amount.Bytes(layer.ChunkBytes),
                Amount.Count(layer.RawChunks + layer.CompressedChunks - layer.SharedChunks),
                Amount.Count(layer.CompressedChunks),
                Amount.Count(layer.SharedChunks),
                Amount.Count(layer.ZeroChunks),
                Amount.Count(layer.InheritedChunks));
        }

        console.Write(table);
        console.WriteLine($"Digest: {layers[0].Digest}");
    }

    private static void Print(IAnsiConsole console, IReadOnlyList<CoreSegmentDocument> segments)
    {
        Table table = NewTable("address", "in the image at", "length", "in the file");
        foreach (CoreSegmentDocument segment in segments.Take(MostRows))
        {
            table.AddRow(
                segment.Address,
                string.Create(CultureInfo.InvariantCulture, $"0x{segment.OffsetBytes:x}"),
                Amount.Bytes((long)segment.LengthBytes),
                Amount.Bytes((long)segment.FileBytes));
        }

        console.Write(table);
        if (segments.Count > MostRows)
        {
            console.WriteLine($"and {Amount.Count(segments.Count - MostRows)} more segments");
        }
    }

    private static Table NewTable(params string[] headings)
    {
        var table = new Table { Border = TableBorder.Rounded };
        foreach (string heading in headings)
        {
            table.AddColumn(new TableColumn(heading).NoWrap());
        }

        for (int i = 1; i < headings.Length; i++)
        {
            table.Columns[i].RightAligned();
        }

        return table;
    }
}
