using Faultline.Conformance;
using Faultline.Mm.Tests;
using Xunit;

[assembly: AssemblyFixture(typeof(ManagedEngineHost))]

namespace Faultline.Mm.Tests;

/// <summary>The managed engine for the conformance suites: a gigabyte of memory, and a swap device.</summary>
public sealed class ManagedEngineHost : EngineHost
{
    private readonly ManagedEngine _engine = new(new ManagedEngineOptions
    {
        MemoryBytes = 1UL << 30,
        Swap = new MemorySwapDevice(65536),
    });

    public override IMemoryEngine Engine => _engine;

    public override string? PrepareHugePages() => _engine.Capabilities.HugePages.Reason;

    public override string? PrepareSwap() => null;

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _engine.Dispose();
        }
    }
}
