using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace Faultline.Tidy.Tests;

/// <summary>The documents hold together.</summary>
public sealed partial class DocumentTests
{
    [Fact]
    public void Links_ToFilesOfTheRepository_Resolve()
    {
        Findings findings = new();
        foreach (string document in Repository.Documents)
        {
            foreach (string target in LocalLinks(document).Where(target => !Path.Exists(Repository.FullPath(target))))
            {
                findings.Add($"{document}: {target}");
            }
        }

        findings.AssertNone("A link leads to a file that is there.");
    }

    [Fact]
    public void Documents_AreAllReachedFromTheReadme()
    {
        HashSet<string> reached = new(["README.md"], StringComparer.Ordinal);
        Queue<string> next = new(reached);
        while (next.TryDequeue(out string? document))
        {
            foreach (string target in LocalLinks(document).Where(target => Repository.Documents.Contains(target, StringComparer.Ordinal)).Where(reached.Add))
            {
                next.Enqueue(target);
            }
        }

        Findings findings = new();
        foreach (string document in Repository.Documents.Where(document => !reached.Contains(document)))
        {
            findings.Add(document);
        }

        findings.AssertNone("Every document can be reached by links that begin in README.md.");
    }

    private static IEnumerable<string> LocalLinks(string document)
    {
        string folder = Path.GetDirectoryName(document) ?? string.Empty;
        foreach (Match link in Link().Matches(CodeBlock().Replace(Repository.Read(document), string.Empty)))
        {
            string target = link.Groups["target"].Value.Split('#')[0];
            if (target.Length > 0 && !target.Contains("://", StringComparison.Ordinal) && !target.StartsWith("mailto:", StringComparison.Ordinal))
            {
                string path = Path.GetFullPath(Path.Combine(Repository.Root, folder, Uri.UnescapeDataString(target)));
                yield return Path.GetRelativePath(Repository.Root, path).Replace('\\', '/');
            }
        }
    }

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)(?:\s+""[^""]*"")?\)")]
    private static partial Regex Link();

    /// <summary>What stands in code is not a link.</summary>
    [GeneratedRegex("```.*?```|`[^`\n]*`", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();
}
