using System;
using System.Collections.Generic;
using System.Text.RegularExpressions;

namespace Faultline.Tidy.Tests;

/// <summary>
/// A braced block that is a member of a type, found by its indentation alone: the build enforces the formatting, so a member of a type at
/// depth n opens and closes with a lone brace at depth n + 1.
/// </summary>
internal readonly partial record struct MemberBlock(int FirstLine, int LineCount)
{
    /// <summary>Depths of members: of a type, and of a type inside a type.</summary>
    private static readonly string[] Indents = ["    ", "        "];

    public static IEnumerable<MemberBlock> In(string[] lines)
    {
        foreach (string indent in Indents)
        {
            int open = -1;
            for (int number = 0; number < lines.Length; number++)
            {
                if (lines[number] == indent + "{")
                {
                    open = number;
                }
                else if (open >= 0 && (lines[number] == indent + "}" || lines[number] == indent + "};"))
                {
                    if (!IsType(lines, open, indent))
                    {
                        yield return new MemberBlock(open, number - open + 1);
                    }

                    open = -1;
                }
            }
        }
    }

    /// <summary>Whether the block that opens here is a type: its declaration stands above it at the same depth.</summary>
    private static bool IsType(string[] lines, int open, string indent)
    {
        for (int number = open - 1; number >= 0; number--)
        {
            string line = lines[number];
            if (line.Length == 0 || line.EndsWith(';') || line.EndsWith('}'))
            {
                return false;
            }

            if (line.StartsWith(indent, StringComparison.Ordinal) && TypeKeyword().IsMatch(line))
            {
                return true;
            }
        }

        return false;
    }

    [GeneratedRegex(@"^\s*[\w\s]*\b(?:class|struct|interface|record|enum)\s+\w+")]
    private static partial Regex TypeKeyword();
}
