using System.CommandLine;

namespace Faultline.Cli.Commands;

/// <summary><c>faultline image</c>: makes images of the format <c>.flt</c>, and looks into them.</summary>
internal static class ImageCommand
{
    public static Command Create() => new("image", "Makes images of the format .flt (docs/image-format.md), and looks into images of any kind.")
    {
        ImageCreateCommand.Create(),
        ImageInspectCommand.Create(),
        ImageVerifyCommand.Create(),
        ImageExtractCommand.Create(),
        ImageDiffCommand.Create(),
        ImageRebaseCommand.Create(),
    };

    /// <summary>What an image may be everywhere here.</summary>
    public static Argument<string> ImageArgument(string name = "IMAGE") => new(name)
    {
        Description = "A .flt image, an ELF core dump, or any other file: a path or an address (http://, https://, s3://).",
    };

    public static Option<bool> JsonOption() => new(CommandTree.JsonOption) { Description = "Print one JSON document and nothing else." };
}
