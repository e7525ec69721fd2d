using System;
using System.IO;
using System.Linq;
using System.Text;
using System.Xml.Linq;
using Faultline.Sync;
using Xunit;

namespace Faultline.Tidy.Tests;

/// <summary>The table of docs/locking.md is printed from <see cref="LockRank"/>.</summary>
public sealed class LockingDocumentTests
{
    private const string Document = "docs/locking.md";
    private const string Begin = "<!-- ranks: printed from LockRank -->";
    private const string End = "<!-- ranks: end -->";

    [Fact]
    public void Table_InTheDocument_IsTheEnum()
    {
        string text = Repository.Read(Document);
        int begin = text.IndexOf(Begin, StringComparison.Ordinal);
        int end = text.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= 0 && end > begin, $"{Document} has lost the marks around its table.");

        Snapshot.Compare(Document, string.Concat(text.AsSpan(0, begin), Begin, Table(), text.AsSpan(end)));
    }

    private static string Table()
    {
        var docs = XDocument.Load(Path.ChangeExtension(typeof(LockRank).Assembly.Location, ".xml"));
        StringBuilder table = new("\n| order | rank | guards |\n|---|---|---|\n");
        foreach (LockRank rank in Enum.GetValues<LockRank>())
        {
            string id = $"F:{typeof(LockRank).FullName}.{rank}";
            XElement summary = docs.Descendants("member").Single(member => member.Attribute("name")!.Value == id).Element("summary")!;
            string[] words = Flatten(summary).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            table.Append("| ").Append((int)rank + 1).Append(" | `").Append(rank).Append("` | ").AppendJoin(' ', words).Append(" |\n");
        }

        return table.ToString();
    }

    /// <summary>The text, with the names that tags refer to.</summary>
    private static string Flatten(XElement element) => string.Concat(element.Nodes().Select(node => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "see" } see => $"`{(see.Attribute("cref") ?? see.Attribute("langword"))!.Value.Split('.', ':')[^1]}`",
        XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
        XElement inner => Flatten(inner),
        _ => string.Empty,
    }));
}
