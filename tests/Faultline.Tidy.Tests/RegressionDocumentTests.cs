using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace Faultline.Tidy.Tests;

/// <summary>The table of docs/regressions.md and the marks on the cases say the same.</summary>
public sealed partial class RegressionDocumentTests
{
    private const string Document = "docs/regressions.md";
    private const int RowTotal = 48;

    [Fact]
    public void Table_InTheDocument_NamesTheMarkedCases()
    {
        Dictionary<int, SortedSet<string>> marked = FindMarks();
        Findings findings = new();
        for (int row = 1; row <= RowTotal; row++)
        {
            string begin = string.Create(CultureInfo.InvariantCulture, $"| {row} |");
            string? line = Repository.Lines(Document).SingleOrDefault(line => line.StartsWith(begin, StringComparison.Ordinal));
            if (line is null)
            {
                findings.Add($"row {row} is missing");
                continue;
            }

            string[] named = [.. CaseName().Matches(line.Split('|')[4]).Select(match => match.Groups["name"].Value).Order(StringComparer.Ordinal)];
            string[] inSource = [.. marked.GetValueOrDefault(row, [])];
            if (!named.SequenceEqual(inSource, StringComparer.Ordinal))
            {
                findings.Add($"row {row} names {string.Join(", ", named)}; marked are {string.Join(", ", inSource)}");
            }

            if (named.Length == 0 && !line.Contains("**not covered**", StringComparison.Ordinal))
            {
                findings.Add($"row {row} has no case and does not say why");
            }
        }

        findings.AssertNone($"Each of the {RowTotal} rows of {Document} names the cases marked [Regression(n)], or says why there is none.");
    }

    private static Dictionary<int, SortedSet<string>> FindMarks()
    {
        Dictionary<int, SortedSet<string>> marked = [];
        foreach (string file in Repository.Sources.Where(file => file.StartsWith("tests/", StringComparison.Ordinal)))
        {
            List<int> rows = [];
            foreach (string line in Repository.Lines(file))
            {
                if (Mark().Match(line) is { Success: true } mark)
                {
                    rows.Add(int.Parse(mark.Groups["row"].Value, CultureInfo.InvariantCulture));
                }
                else if (rows.Count != 0 && Method().Match(line) is { Success: true } method)
                {
                    rows.ForEach(row => (marked.TryGetValue(row, out SortedSet<string>? names) ? names : marked[row] = new(StringComparer.Ordinal))
                        .Add(method.Groups["name"].Value));
                    rows.Clear();
                }
            }
        }

        return marked;
    }

    [GeneratedRegex(@"^\s+\[Regression\((?<row>\d+)\)\]")]
    private static partial Regex Mark();

    [GeneratedRegex(@"^\s+public (async )?\w+ (?<name>\w+)\(")]
    private static partial Regex Method();

    [GeneratedRegex("`(?<name>[A-Za-z0-9_]+)`")]
    private static partial Regex CaseName();
}
