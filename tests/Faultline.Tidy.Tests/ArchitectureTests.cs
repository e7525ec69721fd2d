using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Faultline.Tidy.Tests;

/// <summary>The arrows between projects, in the table, in the projects and in the document.</summary>
public sealed partial class ArchitectureTests
{
    private const string Table = "eng/Arrows.props";
    private const string Document = "docs/architecture.md";

    [Fact]
    public void Arrows_OfEveryShippedProject_AreInTheTable()
    {
        Findings findings = new();
        Dictionary<string, string[]> arrows = ReadTable();
        foreach (string project in Repository.ShippedProjects)
        {
            string name = Path.GetFileNameWithoutExtension(project);
            if (!arrows.TryGetValue(name, out string[]? allowed))
            {
                findings.Add($"{name} has no row.");
                continue;
            }

            foreach (string reference in References(project).Except(allowed, StringComparer.Ordinal))
            {
                findings.Add($"{name} references {reference}, which its row does not allow.");
            }
        }

        findings.AssertNone($"{Table} has a row for every project under src, and a project references only what its row lists.");
    }

    /// <summary>Follows the rows as far as they lead: what may not see each other may not do so through a third one.</summary>
    [Theory]
    [InlineData("Faultline.Mm", "Faultline.Linux")]
    [InlineData("Faultline.Linux", "Faultline.Mm")]
    [InlineData("Faultline.Paging", "Faultline.Mm")]
    [InlineData("Faultline.Paging", "Faultline.Linux")]
    public void Arrows_BetweenTheEnginesAndThePager_DoNotExist(string from, string to)
    {
        Dictionary<string, string[]> arrows = ReadTable();
        HashSet<string> reached = new([from], StringComparer.Ordinal);
        Queue<string> next = new(reached);
        while (next.TryDequeue(out string? project))
        {
            foreach (string target in arrows.GetValueOrDefault(project, []).Where(reached.Add))
            {
                next.Enqueue(target);
            }
        }

        Assert.DoesNotContain(to, reached);
    }

    [Fact]
    public void Arrows_InTheDocument_AreThoseOfTheTable()
    {
        var documented = DocumentedArrow().Matches(Repository.Read(Document)).ToDictionary(
            row => $"Faultline.{row.Groups["from"].Value}",
            row => SplitNames(row.Groups["to"].Value),
            StringComparer.Ordinal);
        Dictionary<string, string[]> arrows = ReadTable();
        Findings findings = new();
        foreach (string name in Repository.ShippedProjects.Select(project => Path.GetFileNameWithoutExtension(project)))
        {
            string inTable = string.Join(", ", arrows.GetValueOrDefault(name, []).Order(StringComparer.Ordinal));
            string inDocument = documented.TryGetValue(name, out string[]? to) ? string.Join(", ", to.Order(StringComparer.Ordinal)) : "(no row)";
            if (inTable != inDocument)
            {
                findings.Add($"{name}: the table allows '{inTable}', the document says '{inDocument}'.");
            }
        }

        findings.AssertNone($"The arrows in {Document} are those of {Table}.");
    }

    [Fact]
    public void Projects_AreAllInTheSolution()
    {
        IEnumerable<string> inSolution = XDocument.Parse(Repository.Read("Faultline.slnx"))
            .Descendants("Project").Select(project => project.Attribute("Path")!.Value).Order(StringComparer.Ordinal);

        Assert.Equal(string.Join('\n', Repository.Projects), string.Join('\n', inSolution));
    }

    [Fact]
    public void Projects_AllHaveALockFile() => Assert.All(
        Repository.Projects,
        project => Assert.Contains($"{Path.GetDirectoryName(project)}/packages.lock.json", Repository.Files, StringComparer.Ordinal));

    private static Dictionary<string, string[]> ReadTable() =>
        TableRow().Matches(Repository.Read(Table)).ToDictionary(
            row => row.Groups["from"].Value,
            row => row.Groups["to"].Value == "nothing" ? [] : row.Groups["to"].Value.Split(';'),
            StringComparer.Ordinal);

    private static IEnumerable<string> References(string project) =>
        XDocument.Parse(Repository.Read(project)).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));

    private static string[] SplitNames(string names) =>
        names.Contains("nothing", StringComparison.Ordinal)
            ? []
            : [.. names.Split(',', StringSplitOptions.TrimEntries).Select(name => $"Faultline.{name}")];

    [GeneratedRegex("""'\$\(MSBuildProjectName\)' == '(?<from>[^']+)'"><PropertyGroup><AllowedArrows>(?<to>[^<]+)<""")]
    private static partial Regex TableRow();

    [GeneratedRegex(@"^(?<from>\w+) +-> (?<to>\(nothing\)|\w+(?:, \w+)*)", RegexOptions.Multiline)]
    private static partial Regex DocumentedArrow();
}
