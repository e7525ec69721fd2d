using System.CommandLine;
using System.Globalization;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Cli.Images;
using Faultline.Cli.Json;
using Faultline.Cli.Output;
using Faultline.Paging;
using Faultline.Stores;
using Spectre.Console;

namespace Faultline.Cli.Commands;

/// <summary><c>faultline image create</c>: a new image of anything that can be read; with a base, a layer of what differs.</summary>
internal static class ImageCreateCommand
{
    private static readonly Argument<string> Source = ImageCommand.ImageArgument("SOURCE");
    private static readonly Argument<string> Target = new("TARGET.flt") { Description = "The image to write; what is there is replaced when the new one is whole." };
    private static readonly Option<string?> Chunk = new("--chunk") { HelpName = "SIZE", Description = "Chunk size, 4K to 16M (default: the base's, or 64K)." };
    private static readonly Option<string> Compress = new("--compress")
    {
        HelpName = "zstd|none",
        Description = "How chunks are made smaller.",
        DefaultValueFactory = static _ => "zstd",
    };

    private static readonly Option<string> Level = new("--level") { HelpName = "N", Description = "How hard zstd tries, 1 to 19.", DefaultValueFactory = static _ => "3" };
    private static readonly Option<string?> Base = new("--base") { HelpName = "BASE.flt", Description = "Write a layer: only what differs from this image." };
    private static readonly Option<bool> Json = ImageCommand.JsonOption();

    public static Command Create()
    {
        var command = new Command("create", "Makes a .flt image of a file, a core dump, or another image.") { Source, Target, Chunk, Compress, Level, Base, Json };
        command.SetAction(static (parsed, _) =>
        {
            var options = new ImageWriterOptions
            {
                ChunkBytes = ImageWriteArguments.ChunkBytes(parsed.GetValue(Chunk)),
                Compression = ImageWriteArguments.Compression(parsed.GetRequiredValue(Compress)),
                CompressionLevel = ImageWriteArguments.Level(parsed.GetRequiredValue(Level)),
            };
            return ImageWork.RunAsync(
                parsed.GetValue(Json),
                work => RunAsync("create", parsed.GetRequiredValue(Source), parsed.GetRequiredValue(Target), parsed.GetValue(Base), options, work));
        });
        return command;
    }

    /// <summary>Writes an image from another one, whatever that is: <c>create</c> and <c>rebase</c> are the same work.</summary>
    public static async Task<int> RunAsync(string command, string source, string target, string? basePath, ImageWriterOptions options, ImageWork work)
    {
        CancellationToken cancellation = work.Token;
        ImageWriteArguments.CheckTarget(target);
        using IPageStore store = await ToolStores.OpenAsync(source, cancellation).ConfigureAwait(false);
        if (store.Length == 0)
        {
            throw ToolException.BadInput($"{source} is empty, so there is nothing to make an image of.");
        }

        if (basePath is not null)
        {
            (ImagePageStore image, string name) = await ImageWriteArguments.OpenBaseAsync(basePath, target, cancellation).ConfigureAwait(false);
            if ((options.ChunkBytes ?? image.ChunkBytes) != image.ChunkBytes)
            {
                image.Dispose();
                throw ToolException.BadInput($"--chunk must be that of the base, {image.ChunkBytes}: leave it out.");
            }

            options = options with { Base = image, BaseName = name };
        }

        using ImagePageStore? below = options.Base;
        ImageWritten written = await work.Progress
            .ShowAsync($"Writing {target}", progress => ImageBuilder.CreateAsync(store, target, options, progress, cancellation))
            .ConfigureAwait(false);
        var document = new ImageWrittenDocument
        {
            Command = command,
            Source = source,
            Image = target,
            Digest = written.Digest.ToString(),
            Base = options.BaseName,
            LengthBytes = written.Length,
            FileBytes = written.FileLength,
            ChunkBytes = written.ChunkBytes,
            ZeroChunks = written.ZeroChunks,
            InheritedChunks = written.InheritedChunks,
            StoredChunks = written.StoredChunks,
            SharedChunks = written.SharedChunks,
            Ms = work.ElapsedMs,
        };
        if (work.IsJson)
        {
            JsonOutput.Write(document, FaultlineJson.Default.ImageWrittenDocument);
        }
        else
        {
            Print(work.Console, document);
        }

        return ExitCode.Done;
    }

    private static void Print(IAnsiConsole console, ImageWrittenDocument document)
    {
        string size = $"{Amount.Bytes((long)document.FileBytes)} for {Amount.Bytes((long)document.LengthBytes)}";
        console.WriteLine($"{document.Image}: {size}, in {Amount.Milliseconds(document.Ms)}");
        string inherited = document.Base is { } name ? $", {Amount.Count(document.InheritedChunks)} those of {name}" : string.Empty;
        string chunks = $"{Amount.Count(document.StoredChunks)} stored, {Amount.Count(document.SharedChunks)} equal to them";
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Chunks of {Amount.Bytes(document.ChunkBytes)}: {chunks}, {Amount.Count(document.ZeroChunks)} zero{inherited}"));
        console.WriteLine($"Digest: {document.Digest}");
    }
}
