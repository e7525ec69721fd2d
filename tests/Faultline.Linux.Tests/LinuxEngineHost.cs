using System;
using System.Threading;
using Faultline.Conformance;
using Faultline.Linux.Machine;
using Faultline.Linux.Tests;
using Xunit;

[assembly: AssemblyFixture(typeof(LinuxEngineHost))]

namespace Faultline.Linux.Tests;

/// <summary>The running kernel, with huge pages and a swap file borrowed from the machine for the length of the run.</summary>
public sealed class LinuxEngineHost : EngineHost
{
    private readonly LinuxEngine _engine = new();
    private readonly Lazy<BorrowedHugePages> _hugePages = new(static () => BorrowedHugePages.Take(), LazyThreadSafetyMode.ExecutionAndPublication);
    private readonly Lazy<BorrowedSwapFile> _swap = new(static () => BorrowedSwapFile.Take(), LazyThreadSafetyMode.ExecutionAndPublication);

    /// <summary>Gives back what is borrowed also when the run ends without its fixtures being disposed.</summary>
    public LinuxEngineHost()
    {
        AppDomain.CurrentDomain.ProcessExit += (_, _) => GiveBack();
    }

    /// <inheritdoc/>
    public override IMemoryEngine Engine => _engine;

    /// <inheritdoc/>
    public override string? PrepareHugePages() => _hugePages.Value.Refusal;

    /// <inheritdoc/>
    public override HugePagePool ReadHugePagePool()
    {
        (int total, int free, int reserved) = BorrowedHugePages.ReadPool();
        return new(total, free, reserved);
    }

    /// <inheritdoc/>
    public override string? PrepareSwap() => _swap.Value.Refusal;

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _engine.Dispose();
            GiveBack();
        }
    }

    private void GiveBack()
    {
        if (_hugePages.IsValueCreated)
        {
            _hugePages.Value.Dispose();
        }

        if (_swap.IsValueCreated)
        {
            _swap.Value.Dispose();
        }
    }
}
