using System;
using System.IO;

namespace Faultline.Cli;

/// <summary>Turns what went wrong into words for the user.</summary>
internal static class Sentence
{
    /// <summary>The reason of an input or output error, without the path (the caller's sentence names it) and without type names.</summary>
    public static string Of(Exception exception) => exception switch
    {
        FileNotFoundException or DirectoryNotFoundException => "it does not exist.",
        UnauthorizedAccessException => "permission is denied.",
        _ => OneLine(exception.Message),
    };

    /// <summary>A message as one sentence on one line.</summary>
    public static string OneLine(string message) => message.ReplaceLineEndings(" ").TrimEnd('.', ' ') + ".";
}
