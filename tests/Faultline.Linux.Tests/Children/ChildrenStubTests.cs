using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using Faultline.Linux.Children;
using Xunit;

namespace Faultline.Linux.Tests;

/// <summary>The committed machine code is what the committed source assembles to.</summary>
public sealed class ChildrenStubTests
{
    [Fact]
    public void Bytes_SourceAssembled_AreTheSame()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Find("as") && Find("objcopy") && Find("nm"), "GNU binutils (as, objcopy, nm) are not installed.");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("faultline-stub");
        try
        {
            string assembled = Path.Combine(folder.FullName, "stub.o");
            string binary = Path.Combine(folder.FullName, "stub.bin");
            Run("as", "--64", "-o", assembled, Path.Combine(AppContext.BaseDirectory, "Stub.S"));
            Run("objcopy", "-O", "binary", "-j", ".text", assembled, binary);
            byte[] bytes = File.ReadAllBytes(binary);
            List<(int Offset, string Name)> labels = [.. Run("nm", assembled).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split(' '))
                .Where(parts => parts[1] is "t" or "T")
                .Select(parts => (int.Parse(parts[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture), parts[2]))
                .Order()];
            Assert.True(bytes.AsSpan().SequenceEqual(StubCode.Bytes), "StubCode.cs is out of date. Its bytes should be:\n" + Listing(bytes, labels));
            Assert.Equal(StubCode.Spawn, labels.Single(label => label.Name == "spawn").Offset);
            Assert.Equal(StubCode.Handler, labels.Single(label => label.Name == "handler").Offset);
            Assert.Equal(StubCode.Restorer, labels.Single(label => label.Name == "restorer").Offset);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static bool Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    private static string Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, UseShellExecute = false })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
        return output;
    }

    private static string Listing(byte[] bytes, List<(int Offset, string Name)> labels)
    {
        StringBuilder text = new();
        for (int i = 0; i < labels.Count; i++)
        {
            int end = i + 1 < labels.Count ? labels[i + 1].Offset : bytes.Length;
            string label = string.Create(CultureInfo.InvariantCulture, $"   // {labels[i].Offset:x3} {labels[i].Name}");
            for (int at = labels[i].Offset; at < end; at += 16)
            {
                IEnumerable<string> row = bytes[at..Math.Min(at + 16, end)].Select(one => string.Create(CultureInfo.InvariantCulture, $"0x{one:x2},"));
                text.Append((new string(' ', 8) + string.Join(' ', row)).PadRight(103)).Append(label).Append('\n');
                label = string.Empty;
            }
        }

        return text.ToString();
    }
}
