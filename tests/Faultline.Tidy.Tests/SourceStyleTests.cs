using System;
using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace Faultline.Tidy.Tests;

/// <summary>The part of the style guide that no analyzer knows.</summary>
public sealed partial class SourceStyleTests
{
    private const int MaxLineLength = 160;
    private const int MaxLines = 500;
    private const int MaxLinesInTests = 800;
    private const int MaxLinesInMethod = 100;

    [Fact]
    public void Lines_OfAllSources_AreShortEnough()
    {
        Findings findings = new();
        ForEachLine((file, number, line) =>
        {
            // A message is not cut in two: whoever meets it must find it whole in the source.
            int length = StringLiteral().Replace(line, "\"\"").Length;
            if (length > MaxLineLength)
            {
                findings.Add($"{file}:{number}: {length} characters");
            }
        });

        findings.AssertNone($"A line has at most {MaxLineLength} characters, not counting what stands in string literals.");
    }

    [Fact]
    public void Files_OfAllSources_AreShortEnough()
    {
        Findings findings = new();
        foreach (string file in Repository.Sources)
        {
            int lines = Repository.Lines(file).Length;
            if (lines > (IsTest(file) ? MaxLinesInTests : MaxLines))
            {
                findings.Add($"{file}: {lines} lines");
            }
        }

        findings.AssertNone($"A file has at most {MaxLines} lines, {MaxLinesInTests} in tests: give part of it a name and a file.");
    }

    [Fact]
    public void Methods_OfAllSources_AreShortEnough()
    {
        Findings findings = new();
        foreach (string file in Repository.Sources)
        {
            foreach (MemberBlock block in MemberBlock.In(Repository.Lines(file)).Where(block => block.LineCount > MaxLinesInMethod))
            {
                findings.Add($"{file}:{block.FirstLine}: {block.LineCount} lines");
            }
        }

        findings.AssertNone($"A member has at most {MaxLinesInMethod} lines, and more than 70 is a question.");
    }

    [Fact]
    public void TypeNames_SayWhatTheTypeIs()
    {
        Findings findings = new();
        ForEachLine((file, number, line) =>
        {
            if (TypeDeclaration().Match(line) is { Success: true } type && EmptyName().IsMatch(type.Groups["name"].Value))
            {
                findings.Add($"{file}:{number}: {type.Groups["name"].Value}");
            }
        });

        findings.AssertNone("Words that say nothing: Manager, Helper, Util, Common, Misc, Impl, Service, and Data at the end.");
    }

    [Fact]
    public void Sources_HoldNoUnfinishedWork()
    {
        Findings findings = new();
        ForEachLine((file, number, line) =>
        {
            if (Unfinished().IsMatch(line) && !IsThisRule(file))
            {
                findings.Add($"{file}:{number}: {line.Trim()}");
            }
        });

        findings.AssertNone("Unfinished work is finished, or named in the documents as missing; regions hide length.");
    }

    [Fact]
    public void Files_NameNoMachineAndNoPackageHost()
    {
        Findings findings = new();
        foreach (string file in Repository.Files.Where(file => !IsThisRule(file)))
        {
            string[] lines = Repository.Lines(file);
            for (int number = 0; number < lines.Length; number++)
            {
                if (Machine().Match(lines[number]) is { Success: true } match)
                {
                    findings.Add($"{file}:{number + 1}: {match.Value}");
                }
            }
        }

        findings.AssertNone("The repository works on any machine: no path and no host of one.");
    }

    private static void ForEachLine(Action<string, int, string> visit)
    {
        foreach (string file in Repository.Sources)
        {
            string[] lines = Repository.Lines(file);
            for (int number = 0; number < lines.Length; number++)
            {
                visit(file, number + 1, lines[number]);
            }
        }
    }

    private static bool IsTest(string file) => file.StartsWith("tests/", StringComparison.Ordinal);

    /// <summary>This file has to spell what it forbids.</summary>
    private static bool IsThisRule(string file) => file.EndsWith($"/{nameof(SourceStyleTests)}.cs", StringComparison.Ordinal);

    [GeneratedRegex(@"^\s*(?:\[[^\]]*\]\s*)*(?:(?:public|internal|private|protected|static|sealed|abstract|partial|readonly|ref|unsafe|file|new)\s+)*" +
        @"(?:class|struct|interface|enum|record(?:\s+(?:class|struct))?)\s+(?<name>\w+)")]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex("""
        "(?:[^"\\]|\\.)*"
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex StringLiteral();

    [GeneratedRegex("Manager|Helper|Util|Common|Misc|Impl(?=[A-Z]|$)|Service|Data$")]
    private static partial Regex EmptyName();

    [GeneratedRegex(@"\bTODO\b|\bFIXME\b|\bHACK\b|NotImplementedException|^\s*#region\b")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"(?<![\w.])/(?:work|root|farm)/|/tmp/fl\b|://(?:api|www|registry|deb)\.")]
    private static partial Regex Machine();
}
