using System;
using System.Collections.Generic;
using System.Threading;
using Faultline.Conformance;
using Faultline.Mm.Tests;
using Xunit;

[assembly: AssemblyFixture(typeof(ManagedEngineHost))]

// One engine for all suites, checked as a whole after every case: nothing else may go on in it then.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: CheckInvariants]

namespace Faultline.Mm.Tests;

/// <summary>The managed engine for the conformance suites: a gigabyte of memory, and a swap device.</summary>
public sealed class ManagedEngineHost : EngineHost
{
    private readonly ManagedEngine _engine = new(new ManagedEngineOptions
    {
        MemoryBytes = 1UL << 30,
        HugePages = 64,
        Swap = new MemorySwapDevice(65536),
    });

    private readonly long _framesAtStart;

    public ManagedEngineHost()
    {
        _framesAtStart = _engine.FramesInUse;
        Current = this;
    }

    /// <summary>The host of this run.</summary>
    public static ManagedEngineHost? Current { get; private set; }

    public override IMemoryEngine Engine => _engine;

    public override string? PrepareHugePages() => _engine.Capabilities.HugePages.IsAvailable ? null : _engine.Capabilities.HugePages.Reason;

    public override HugePagePool ReadHugePagePool() =>
        new(_engine.HugePages.Total, _engine.HugePages.Free, _engine.HugePages.Reserved);

    public override string? PrepareSwap() => null;

    /// <summary>Checks the engine, giving threads that are on their way out of a call a moment to leave.</summary>
    public void Check()
    {
        IReadOnlyList<string> violations = [];
        for (int round = 0; round < 100; round++)
        {
            violations = _engine.FindViolations();
            if (violations.Count == 0)
            {
                return;
            }

            Thread.Sleep(TimeSpan.FromMilliseconds(10));
        }

        Assert.Fail(string.Join('\n', violations));
    }

    protected override void Dispose(bool disposing)
    {
        if (!disposing)
        {
            return;
        }

        // Every address space and file of every case is gone: so must be every frame they had.
        Check();
        Assert.Equal(_framesAtStart, _engine.FramesInUse);
        _engine.Dispose();
    }
}
