using System.CommandLine;
using System.Threading.Tasks;
using Faultline.Cli.Images;
using Faultline.Cli.Json;
using Faultline.Cli.Output;
using Faultline.Paging;
using Faultline.Stores;
using Spectre.Console;

namespace Faultline.Cli.Commands;

/// <summary><c>faultline image extract</c>: the contents of an image as a plain file.</summary>
internal static class ImageExtractCommand
{
    private static readonly Argument<string> Image = ImageCommand.ImageArgument();
    private static readonly Argument<string> Target = new("FILE") { Description = "The file to write, with holes where the image is zero." };
    private static readonly Option<bool> Json = ImageCommand.JsonOption();

    public static Command Create()
    {
        var command = new Command("extract", "Writes the contents of an image into a plain file.") { Image, Target, Json };
        command.SetAction(static (parsed, _) =>
            ImageWork.RunAsync(parsed.GetValue(Json), work => RunAsync(parsed.GetRequiredValue(Image), parsed.GetRequiredValue(Target), work)));
        return command;
    }

    private static async Task<int> RunAsync(string address, string target, ImageWork work)
    {
        ImageWriteArguments.CheckTarget(target);
        using IPageStore store = await ToolStores.OpenAsync(address, work.Token).ConfigureAwait(false);
        await work.Progress.ShowAsync($"Writing {target}", async progress =>
        {
            await ImageBuilder.ExtractAsync(store, target, progress, work.Token).ConfigureAwait(false);
            return true;
        }).ConfigureAwait(false);
        if (work.IsJson)
        {
            JsonOutput.Write(new ImageExtractDocument(address, target, store.Length, work.ElapsedMs), FaultlineJson.Default.ImageExtractDocument);
        }
        else
        {
            work.Console.WriteLine($"{target}: {Amount.Bytes((long)store.Length)}, in {Amount.Milliseconds(work.ElapsedMs)}");
        }

        return ExitCode.Done;
    }
}
