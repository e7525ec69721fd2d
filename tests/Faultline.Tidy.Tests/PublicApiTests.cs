using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Xml.Linq;
using Xunit;

namespace Faultline.Tidy.Tests;

/// <summary>The public API is a file in the diff: eng/api holds it as text, one file for each assembly under src.</summary>
public sealed class PublicApiTests
{
    private const string Folder = "eng/api";

    public static IEnumerable<TheoryDataRow<string>> Assemblies =>
        Repository.ShippedProjects.Select(project => new TheoryDataRow<string>(AssemblyName(project)));

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Api_OfEveryShippedAssembly_IsTheSnapshot(string assembly)
    {
        string path = Path.Combine(AppContext.BaseDirectory, $"{assembly}.dll");
        Assert.True(File.Exists(path), $"{assembly} is not here: Faultline.Tidy.Tests.csproj must reference every project under src.");

        Snapshot.Compare($"{Folder}/{assembly}.txt", ApiPrinter.Print(Assembly.LoadFrom(path)));
    }

    [Fact]
    public void Snapshots_AllBelongToAnAssembly() =>
        Assert.Equal(
            Repository.ShippedProjects.Select(project => $"{Folder}/{AssemblyName(project)}.txt").Order(StringComparer.Ordinal),
            Directory.EnumerateFiles(Repository.FullPath(Folder)).Select(file => $"{Folder}/{Path.GetFileName(file)}").Order(StringComparer.Ordinal));

    private static string AssemblyName(string project) =>
        XDocument.Parse(Repository.Read(project)).Descendants("AssemblyName").FirstOrDefault()?.Value ?? Path.GetFileNameWithoutExtension(project);
}
