using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;

namespace Faultline.Cli.Patterns;

/// <summary>
/// Reads a recorded access pattern: one access a line, a decimal number for the page or a hexadecimal one (<c>0x…</c>) for the byte offset. Empty lines and
/// what follows a <c>#</c> are skipped.
/// </summary>
internal static class TraceFile
{
    public static int[] Read(string path, int imagePages)
    {
        var pages = new List<int>();
        int number = 0;
        try
        {
            foreach (string line in File.ReadLines(path))
            {
                number++;
                ReadOnlySpan<char> text = line.AsSpan();
                int comment = text.IndexOf('#');
                text = (comment < 0 ? text : text[..comment]).Trim();
                if (!text.IsEmpty)
                {
                    pages.Add(Parse(text, path, number, imagePages));
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ToolException.BadInput($"The trace {path} cannot be read: {Sentence.Of(e)}");
        }

        return pages.Count > 0 ? [.. pages] : throw ToolException.BadInput($"The trace {path} names no page.");
    }

    private static int Parse(ReadOnlySpan<char> text, string path, int line, int imagePages)
    {
        bool isOffset = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        bool isNumber = isOffset
            ? ulong.TryParse(text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong value)
            : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        if (!isNumber)
        {
            throw ToolException.BadInput(
                $"Line {line} of the trace {path} is neither a page number nor a byte offset in hexadecimal (0x…): {text}");
        }

        ulong page = isOffset ? value / 4096 : value;
        return page < (ulong)imagePages
            ? (int)page
            : throw ToolException.BadInput($"Line {line} of the trace {path} names page {page}, but the image has {imagePages} pages.");
    }
}
