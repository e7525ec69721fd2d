using System;
using System.IO;
using Xunit;

namespace Faultline.Tidy.Tests;

/// <summary>A file of the repository that is made from the code: compared, or written anew on demand.</summary>
internal static class Snapshot
{
    public const string RefreshVariable = "FAULTLINE_REFRESH";

    private const string HowToRefresh = $"If the change is meant: {RefreshVariable}=1 dotnet test --project tests/Faultline.Tidy.Tests, and read the diff.";

    /// <summary>Compares, or writes if <see cref="RefreshVariable"/> is 1.</summary>
    public static void Compare(string file, string expectedFromCode)
    {
        string path = Repository.FullPath(file);
        if (Environment.GetEnvironmentVariable(RefreshVariable) == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, expectedFromCode);
            return;
        }

        string actual = File.Exists(path) ? File.ReadAllText(path) : string.Empty;
        if (!string.Equals(actual, expectedFromCode, StringComparison.Ordinal))
        {
            Assert.Fail($"{file} does not say what the code says. {FirstDifference(actual, expectedFromCode)}\n{HowToRefresh}");
        }
    }

    private static string FirstDifference(string actual, string expected)
    {
        string[] actualLines = actual.Split('\n');
        string[] expectedLines = expected.Split('\n');
        int line = 0;
        while (line < actualLines.Length && line < expectedLines.Length && actualLines[line] == expectedLines[line])
        {
            line++;
        }

        return $"First difference in line {line + 1}:\n  file: {At(actualLines, line)}\n  code: {At(expectedLines, line)}";
    }

    private static string At(string[] lines, int line) => line < lines.Length ? lines[line] : "(the end)";
}
