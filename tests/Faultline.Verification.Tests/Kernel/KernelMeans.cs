using System;
using Faultline.Verification.Kernel;
using Xunit;

[assembly: AssemblyFixture(typeof(Faultline.Verification.Tests.Kernel.KernelMeans))]

namespace Faultline.Verification.Tests.Kernel;

/// <summary>What the tests need of the machine, borrowed when the first of them asks, and given back at the end.</summary>
public sealed class KernelMeans : IDisposable
{
    private readonly Lazy<BorrowedMachine> _swap = new(static () => BorrowedMachine.Take(0, withSwap: true));
    private readonly Lazy<BorrowedMachine> _hugePages = new(static () => BorrowedMachine.Take(2, withSwap: false));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Lazy<BorrowedMachine> means in (Lazy<BorrowedMachine>[])[_swap, _hugePages])
        {
            if (means.IsValueCreated)
            {
                means.Value.Dispose();
            }
        }
    }

    /// <summary>Skips the test unless the kernel can be compared with.</summary>
    internal static void RequireKernel()
    {
        string? refusal = KernelCheck.FindRefusal();
        Assert.SkipWhen(refusal is not null, refusal ?? string.Empty);
    }

    /// <summary>Skips the test unless there is swap.</summary>
    internal void RequireSwap()
    {
        RequireKernel();
        Assert.SkipWhen(!_swap.Value.HasSwap, _swap.Value.SwapRefusal ?? string.Empty);
    }

    /// <summary>Skips the test unless there are huge pages in the kernel's pool.</summary>
    internal void RequireHugePages()
    {
        RequireKernel();
        Assert.SkipWhen(!_hugePages.Value.HasHugePages, _hugePages.Value.HugePagesRefusal ?? string.Empty);
    }
}
