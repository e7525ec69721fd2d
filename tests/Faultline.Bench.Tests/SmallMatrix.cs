using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Linux;
using Xunit;

namespace Faultline.Bench.Tests;

/// <summary>One run of the budget matrix over a small file, for all tests that look at it; or why this machine has none.</summary>
public sealed class SmallMatrix : IAsyncLifetime
{
    public const ulong FileBytes = 8 << 20;
    public const long Accesses = 512;

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);

    private string? _reason;
    private BudgetMatrixReport? _report;

    /// <summary>What the run could not measure.</summary>
    public IReadOnlyList<MissingRow> Missing { get; private set; } = [];

    /// <summary>The report; the test is skipped where there is none.</summary>
    public BudgetMatrixReport Need()
    {
        Assert.SkipWhen(_reason is not null, _reason ?? string.Empty);
        return _report!;
    }

    public async ValueTask InitializeAsync()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Deadline);
        using LinuxEngine engine = new();
        var missing = new List<MissingRow>();
        using CompiledHandlers? compiled = await CompiledHandlers.TryCompileAsync(missing, deadline.Token);
        _reason = !engine.Capabilities.KernelFaults.IsAvailable ? engine.Capabilities.KernelFaults.Reason
            : compiled is null ? missing[0].Reason
            : DirectFileStore.WhyNot();
        if (_reason is null)
        {
            using BudgetMatrix matrix = new(engine, compiled!, FileBytes, Accesses);
            _report = await matrix.RunAsync(missing, static _ => { }, deadline.Token);
            Missing = missing;
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
