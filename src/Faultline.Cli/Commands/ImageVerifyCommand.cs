using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Linq;
using System.Threading.Tasks;
using Faultline.Cli.Images;
using Faultline.Cli.Json;
using Faultline.Cli.Output;
using Faultline.Paging;
using Faultline.Stores;
using Spectre.Console;

namespace Faultline.Cli.Commands;

/// <summary><c>faultline image verify</c>: reads every byte, and checks what can be checked.</summary>
internal static class ImageVerifyCommand
{
    private const int PlainStepBytes = 1 << 20;
    private const int MostLines = 20;

    private static readonly Argument<string> Image = ImageCommand.ImageArgument();
    private static readonly Option<string?> Digest = new("--digest") { HelpName = "sha256:…", Description = "What the image must be known by." };
    private static readonly Option<bool> Json = ImageCommand.JsonOption();

    public static Command Create()
    {
        var command = new Command("verify", "Reads a whole image and checks every chunk, in the images below it too.") { Image, Digest, Json };
        command.SetAction(static (parsed, _) =>
            ImageWork.RunAsync(parsed.GetValue(Json), work => RunAsync(parsed.GetRequiredValue(Image), parsed.GetValue(Digest), work)));
        return command;
    }

    private static async Task<int> RunAsync(string address, string? wanted, ImageWork work)
    {
        ImageDigest? digest = wanted is null ? null
            : ImageDigest.TryParse(wanted, out ImageDigest parsed) ? parsed
            : throw ToolException.BadInput($"--digest must be sha256: and 64 hexadecimal digits, not '{wanted}'.");
        using IPageStore store = await ToolStores.OpenAsync(address, work.Token).ConfigureAwait(false);
        var image = store as ImagePageStore;
        IReadOnlyList<ImageDamage> damages = await work.Progress
            .ShowAsync($"Reading {address}", progress => ImageSurvey.VerifyAsync(store, image?.ChunkBytes ?? PlainStepBytes, progress, work.Token))
            .ConfigureAwait(false);
        if (digest is not null && image?.Digest != digest)
        {
            string own = image is null ? "It has no digest, for it is not a .flt image." : $"Its digest is {image.Digest}.";
            damages = [new ImageDamage(0, store.Length, own), .. damages];
        }

        var document = new ImageVerifyDocument
        {
            Image = address,
            Sound = damages.Count == 0,
            Digest = image?.Digest.ToString(),
            LengthBytes = store.Length,
            Damages = [.. damages.Select(static damage => new ImageDamageDocument(damage.Offset, damage.Length, damage.Reason))],
            Ms = work.ElapsedMs,
        };
        await PrintAsync(work, document).ConfigureAwait(false);
        return document.Sound ? ExitCode.Done : ExitCode.Failed;
    }

    private static async Task PrintAsync(ImageWork work, ImageVerifyDocument document)
    {
        if (work.IsJson)
        {
            JsonOutput.Write(document, FaultlineJson.Default.ImageVerifyDocument);
        }
        else if (document.Sound)
        {
            string checkedBy = document.Digest is null ? "could be read; there are no checksums in it" : "is what its digest says";
            work.Console.WriteLine($"{document.Image}: all of {Amount.Bytes((long)document.LengthBytes)} {checkedBy} ({Amount.Milliseconds(document.Ms)})");
        }

        foreach (ImageDamageDocument damage in document.Damages.Take(MostLines))
        {
            await Console.Error.WriteLineAsync("faultline: " + Sentence.OneLine(damage.Reason)).ConfigureAwait(false);
        }

        if (document.Damages.Count > MostLines)
        {
            await Console.Error.WriteLineAsync($"faultline: {document.Damages.Count - MostLines} more parts are damaged.").ConfigureAwait(false);
        }
    }
}
