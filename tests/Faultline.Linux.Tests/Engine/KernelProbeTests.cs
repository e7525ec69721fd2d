using System;
using System.IO;
using System.Linq;
using Faultline.Conformance;
using Xunit;

namespace Faultline.Linux.Tests;

public sealed class KernelProbeTests
{
    private static readonly KernelProbe Probe = KernelProbe.Run();

    [Fact]
    public void Run_Here_NamesEveryFeatureBitOnce()
    {
        string[] names = [.. Probe.Findings.Select(finding => finding.Name).Where(name => name.StartsWith("feature ", StringComparison.Ordinal))];
        Assert.Equal(17, names.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(17, names.Length);
        UserfaultfdFeatures all = FeatureRow.All.Aggregate(UserfaultfdFeatures.None, (sum, row) => sum | row.Feature);
        Assert.Equal((UserfaultfdFeatures)0x1ffff, all);
        Assert.All(
            Enum.GetValues<UserfaultfdFeatures>().Where(feature => feature != UserfaultfdFeatures.None),
            feature => Assert.Single(FeatureRow.All, row => row.Feature == feature));
    }

    [Fact]
    public void Run_Here_NamesAreUniqueAndEveryNoHasItsSentence()
    {
        Assert.Equal(Probe.Findings.Count, Probe.Findings.Select(finding => finding.Name).Distinct(StringComparer.Ordinal).Count());
        Assert.All(Probe.Findings, finding =>
        {
            Assert.NotEmpty(finding.Value);
            Assert.Equal(finding.IsOk, finding.Advice.Length == 0);
            Assert.True(finding.IsOk || finding.Advice.EndsWith('.'), finding.Advice);
        });
    }

    [Fact]
    public void Run_Here_AgreesWithTheKernelItself()
    {
        KernelFinding kernel = Probe.Findings.Single(finding => finding.Name == "kernel");
        Assert.Equal($"Linux {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}", kernel.Value);
        using LinuxEngine engine = new();
        SystemResult<UserfaultfdFeatures> offered = UserfaultfdHandshake.Probe(engine.Home, UserfaultfdOptions.UserModeOnly | UserfaultfdOptions.CloseOnExec);
        Assert.Equal(offered.IsOk, Probe.Capabilities.Userfaultfd.IsAvailable);
        Assert.Equal(offered.Value, Probe.Capabilities.Features);
        Assert.Equal(Probe.Capabilities.Userfaultfd, engine.Capabilities.Userfaultfd);
        bool canFull = engine.Home.OpenUserfaultfd(UserfaultfdOptions.CloseOnExec) is { IsOk: true } opened && Close(opened.Value);
        KernelFinding call = Probe.Findings.Single(finding => finding.Name == "system call");
        Assert.Equal(canFull, call.IsOk);

        static bool Close(IUserfaultfd context)
        {
            context.Dispose();
            return true;
        }
    }

    // Engines of other tests look at the machine too, and have such files open for a moment; what is left behind stays.
    [Fact]
    public void Run_Again_LeavesNoFileOpen()
    {
        _ = KernelProbe.Run();
        Testbed.Until("no file of a probe is open", static () => !HasProbeFile());

        static bool HasProbeFile() => Directory.GetFiles("/proc/self/fd")
            .Any(path => new FileInfo(path).LinkTarget is { } target && target.Contains("memfd:probe", StringComparison.Ordinal));
    }

    [Fact]
    public void Judge_OfAbsentFeature_TellsLossAndVersion()
    {
        KernelFinding finding = FeatureRow.All.Single(row => row.Feature == UserfaultfdFeatures.MinorShmem).Judge(UserfaultfdFeatures.None);
        Assert.False(finding.IsOk);
        Assert.True(finding.IsRequired);
        Assert.Contains("5.14", finding.Advice, StringComparison.Ordinal);
    }
}
