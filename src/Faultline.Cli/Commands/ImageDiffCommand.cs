using System.CommandLine;
using System.Globalization;
using System.Linq;
using System.Threading.Tasks;
using Faultline.Cli.Images;
using Faultline.Cli.Json;
using Faultline.Cli.Output;
using Faultline.Paging;
using Faultline.Stores;
using Spectre.Console;

namespace Faultline.Cli.Commands;

/// <summary><c>faultline image diff</c>: where two images differ. The exit code is 1 if they do.</summary>
internal static class ImageDiffCommand
{
    private const int MostLines = 20;

    private static readonly Argument<string> Left = ImageCommand.ImageArgument("LEFT");
    private static readonly Argument<string> Right = ImageCommand.ImageArgument("RIGHT");
    private static readonly Option<bool> Json = ImageCommand.JsonOption();

    public static Command Create()
    {
        var command = new Command("diff", "Finds where two images differ; of two .flt images with equal chunk sizes from their indexes alone.") { Left, Right, Json };
        command.SetAction(static (parsed, _) =>
            ImageWork.RunAsync(parsed.GetValue(Json), work => RunAsync(parsed.GetRequiredValue(Left), parsed.GetRequiredValue(Right), work)));
        return command;
    }

    private static async Task<int> RunAsync(string left, string right, ImageWork work)
    {
        using IPageStore one = await ToolStores.OpenAsync(left, work.Token).ConfigureAwait(false);
        using IPageStore other = await ToolStores.OpenAsync(right, work.Token).ConfigureAwait(false);
        ImageDifference found = await work.Progress
            .ShowAsync("Comparing", progress => ImageSurvey.CompareAsync(one, other, progress, work.Token))
            .ConfigureAwait(false);
        var document = new ImageDiffDocument
        {
            Left = left,
            Right = right,
            Equal = found.RangeCount == 0,
            DifferentBytes = found.DifferentBytes,
            StepBytes = found.StepBytes,
            ByIndex = found.IsByIndex,
            RangeCount = found.RangeCount,
            Ranges = [.. found.Ranges.Select(static range => new ImageRangeDocument(range.Offset, range.Length))],
        };
        if (work.IsJson)
        {
            JsonOutput.Write(document, FaultlineJson.Default.ImageDiffDocument);
        }
        else
        {
            Print(work.Console, document);
        }

        return document.Equal ? ExitCode.Done : ExitCode.Failed;
    }

    private static void Print(IAnsiConsole console, ImageDiffDocument document)
    {
        string means = document.ByIndex ? "by their indexes" : "byte by byte";
        if (document.Equal)
        {
            console.WriteLine($"The contents are equal, {means}.");
            return;
        }

        string parts = document.RangeCount == 1 ? "1 part differs" : $"{Amount.Count(document.RangeCount)} parts differ";
        console.WriteLine($"{parts}, {Amount.Bytes((long)document.DifferentBytes)} in steps of {Amount.Bytes(document.StepBytes)}, {means}:");
        foreach (ImageRangeDocument range in document.Ranges.Take(MostLines))
        {
            console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  0x{range.OffsetBytes:x} to 0x{range.OffsetBytes + range.LengthBytes:x}"));
        }

        if (document.RangeCount > MostLines)
        {
            console.WriteLine($"  and {Amount.Count(document.RangeCount - MostLines)} more");
        }
    }
}
