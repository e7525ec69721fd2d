using System;
using System.Text;

namespace Faultline.Stores;

/// <summary>
/// What the name of a base may be: a path below the folder of the layer. An image may come from anywhere, and must not make its reader open what it likes.
/// </summary>
internal static class BaseName
{
    /// <summary>What is wrong with a name, as the end of a sentence, or null.</summary>
    public static string? FindFault(string name)
    {
        if (name.Length == 0 || Encoding.UTF8.GetByteCount(name) > ImageLayout.LargestBaseName)
        {
            return $"is empty, or longer than {ImageLayout.LargestBaseName} bytes";
        }

        if (name[0] == '/' || name.Contains(':', StringComparison.Ordinal) || name.Contains('\\', StringComparison.Ordinal))
        {
            return "is not relative to the layer's folder";
        }

        foreach (Range part in name.AsSpan().Split('/'))
        {
            ReadOnlySpan<char> word = name.AsSpan(part);
            if (word.IsEmpty || word is "." or "..")
            {
                return "leads out of the layer's folder";
            }
        }

        foreach (char character in name)
        {
            if (char.IsControl(character) || character is '?' or '#')
            {
                return "has a character that no path and no address may have";
            }
        }

        return null;
    }
}
