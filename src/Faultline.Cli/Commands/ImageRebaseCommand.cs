using System.CommandLine;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Cli.Images;
using Faultline.Stores;

namespace Faultline.Cli.Commands;

/// <summary><c>faultline image rebase</c>: the same contents as a layer on another base, or on none. The digest stays.</summary>
internal static class ImageRebaseCommand
{
    private static readonly Argument<string> Image = new("IMAGE.flt") { Description = "The image to rebase." };
    private static readonly Argument<string> Target = new("TARGET.flt") { Description = "The image to write; it may be the same file, which is replaced when the new one is whole." };
    private static readonly Option<string?> Base = new("--base") { HelpName = "BASE.flt", Description = "The new base. Without it the result stands alone: all layers become one." };
    private static readonly Option<bool> Json = ImageCommand.JsonOption();

    public static Command Create()
    {
        var command = new Command("rebase", "Moves an image to another base, or flattens its layers into one image.") { Image, Target, Base, Json };
        command.SetAction(static (parsed, _) => ImageWork.RunAsync(
            parsed.GetValue(Json),
            work => RunAsync(parsed.GetRequiredValue(Image), parsed.GetRequiredValue(Target), parsed.GetValue(Base), work)));
        return command;
    }

    private static async Task<int> RunAsync(string image, string target, string? basePath, ImageWork work)
    {
        var options = new ImageWriterOptions { ChunkBytes = await ChunkBytesAsync(image, work.Token).ConfigureAwait(false) };
        return await ImageCreateCommand.RunAsync("rebase", image, target, basePath, options, work).ConfigureAwait(false);
    }

    private static async Task<int> ChunkBytesAsync(string path, CancellationToken cancellation)
    {
        using ImagePageStore image = await ToolStores.OpenImageAsync(path, cancellation).ConfigureAwait(false);
        return image.ChunkBytes;
    }
}
