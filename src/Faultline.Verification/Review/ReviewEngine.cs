using Faultline.Mm;

namespace Faultline.Verification.Review;

/// <summary>Makes small managed engines for histories.</summary>
internal static class ReviewEngine
{
    private const ulong MemoryBytes = 32 << 20;
    private const uint SwapPages = 16;

    /// <summary>An engine with a rule, and with wrong steps if there are any.</summary>
    public static ManagedEngine Create(InstallRuleVersion rule, FillSteps? steps)
    {
        var engine = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = MemoryBytes, Swap = new MemorySwapDevice(SwapPages), InstallRule = rule });
        engine.System.Steps = steps;
        return engine;
    }
}
