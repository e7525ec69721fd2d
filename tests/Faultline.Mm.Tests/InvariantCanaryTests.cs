using System;
using System.Collections.Generic;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>The check of the whole engine finds what it is there for: one thing is put out of order at a time.</summary>
public sealed class InvariantCanaryTests : IDisposable
{
    private readonly ManagedEngine _engine = new(new ManagedEngineOptions { MemoryBytes = 32UL << 20, Swap = new MemorySwapDevice(64) });
    private readonly VirtualAddress _memory;
    private readonly IMemoryAccess _access;
    private readonly MmState _mm;

    public InvariantCanaryTests()
    {
        _mm = ((AddressSpace)_engine.Home).State;
        _memory = _engine.Home.Map(MapRequest.PrivateAnonymous(4 * PageSize.Small)).OrThrow("mmap");
        _access = _engine.Home.OpenAccess().OrThrow("access");
        Assert.True(_access.Store(_memory, 1).IsOk);
        Assert.Empty(_engine.FindViolations());
    }

    public void Dispose()
    {
        _access.Dispose();
        _engine.Dispose();
    }

    [Fact]
    public void Sleeper_QueuedNowhere_IsFound()
    {
        _mm.EnterSleep();
        AssertFound("sleeps without a reason");
        _mm.LeaveSleep();
    }

    [Fact]
    public void Counter_OfChangesLeftRaised_IsFound()
    {
        using IUserfaultfd uffd = UserfaultfdHandshake.Open(_engine.Home, UserfaultfdFeatures.None).OrThrow("userfaultfd");
        var context = (UserfaultfdContext)_mm.ListBindings()[^1];
        context.BeginChange();
        AssertFound("changes under way");
        context.EndChange();
    }

    [Fact]
    public void ResidentCounter_OneTooMany_IsFound()
    {
        _mm.Counters.Add(CounterKind.Shmem, 1);
        AssertFound("are resident");
        _mm.Counters.Add(CounterKind.Shmem, -1);
    }

    [Fact]
    public unsafe void Reference_OneTooMany_IsFound()
    {
        Folio folio = _engine.System.Memory.FolioAt(_mm.Table.FindEntry(_memory.Value).Read().FrameNumber);
        folio.Get();
        AssertFound("references");
        _engine.System.Pool.Put(folio);
    }

    [Fact]
    public void Charge_OneTooMany_IsFound()
    {
        Assert.True(_engine.System.Group.TryCharge(1));
        AssertFound("the group says");
        _engine.System.Group.Uncharge(1);
    }

    [Fact]
    public unsafe void Entry_WritableInAReadOnlyMapping_IsFound()
    {
        _engine.Home.Protect(new AddressRange(_memory, PageSize.Small), Protections.Read).OrThrow("mprotect");
        ulong* entry = _mm.Table.Find(_memory.Value).EntryFor(_memory.Value);
        Pte.Change(entry, set: Pte.Writable, clear: 0);
        AssertFound("is writable in a mapping that is not");
        Pte.Change(entry, set: 0, clear: Pte.Writable);
    }

    private void AssertFound(string words)
    {
        IReadOnlyList<string> violations = _engine.FindViolations();
        Assert.Contains(violations, violation => violation.Contains(words, StringComparison.Ordinal));
    }
}
