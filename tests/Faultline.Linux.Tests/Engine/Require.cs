using Xunit;

namespace Faultline.Linux.Tests;

/// <summary>What a test needs of the machine; without it the test is skipped, with the sentence of the probe.</summary>
internal static class Require
{
    private static readonly EngineCapabilities Capabilities = KernelProbe.Run().Capabilities;

    /// <summary>A userfaultfd that reports faults inside system calls, opened by the system call.</summary>
    internal static void KernelFaults()
    {
        Assert.SkipUnless(Capabilities.KernelFaults.IsAvailable, Capabilities.KernelFaults.Reason);
        using LinuxEngine engine = new();
        SystemResult<IUserfaultfd> opened = engine.Home.OpenUserfaultfd(UserfaultfdOptions.CloseOnExec);
        Assert.SkipUnless(opened.IsOk, $"userfaultfd(2) answers {opened.Errno}: run with CAP_SYS_PTRACE, or set sysctl vm.unprivileged_userfaultfd=1.");
        opened.Value.Dispose();
    }
}
