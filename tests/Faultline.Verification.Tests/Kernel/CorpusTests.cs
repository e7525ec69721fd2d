using System;
using System.IO;
using System.Linq;
using Faultline.Verification.Kernel;
using Xunit;

namespace Faultline.Verification.Tests.Kernel;

/// <summary>Programs on which the engines once parted. Each names at its top what was wrong; it must never be wrong again.</summary>
public sealed class CorpusTests(KernelMeans means)
{
    private const int Runs = 3;

    public static TheoryData<string> Scripts { get; } =
        [.. Directory.EnumerateFiles(Folder, "*.txt").Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "corpus");

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Replay_Script_EnginesAgree(string script)
    {
        string text = File.ReadAllText(Path.Combine(Folder, script));
        Require(text);

        // What does not show each time is nothing the engines disagree about: the kernel's reclaim may pass over a page that somebody holds for a moment.
        KernelDifference? difference = KernelCheck.RunScript(text);
        for (int again = 1; again < Runs && difference is not null; again++)
        {
            difference = KernelCheck.RunScript(text);
        }

        Assert.True(difference is null, $"{difference?.What}: the kernel: {difference?.Linux}; the managed engine: {difference?.Managed}");
    }

    private void Require(string text)
    {
        KernelMeans.RequireKernel();
        if (text.Contains(nameof(Advice.PageOut), StringComparison.Ordinal))
        {
            means.RequireSwap();
        }

        if (text.Contains("Hugetlb", StringComparison.Ordinal))
        {
            means.RequireHugePages();
        }
    }
}
