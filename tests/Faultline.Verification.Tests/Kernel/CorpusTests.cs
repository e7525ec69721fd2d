using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Faultline.Linux;
using Faultline.Verification.Kernel;
using Xunit;

namespace Faultline.Verification.Tests.Kernel;

/// <summary>Programs on which the engines once parted. Each names at its top what was wrong; it must never be wrong again.</summary>
public sealed class CorpusTests
{
    public static TheoryData<string> Scripts { get; } =
        [.. Directory.EnumerateFiles(Folder, "*.txt").Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "corpus");

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Replay_Script_EnginesAgree(string script)
    {
        SkipWithoutKernel();

        KernelDifference? difference = KernelCheck.RunScript(File.ReadAllText(Path.Combine(Folder, script)));

        Assert.True(difference is null, $"{difference?.What}: the kernel: {difference?.Linux}; the managed engine: {difference?.Managed}");
    }

    internal static void SkipWithoutKernel()
    {
        using var engine = new LinuxEngine();
        IReadOnlyList<Capability> needed = [engine.Capabilities.KernelFaults, engine.Capabilities.ManyAddressSpaces];
        foreach (Capability capability in needed.Where(static capability => !capability.IsAvailable))
        {
            Assert.Skip(capability.Reason);
        }
    }
}
