using System;
using Faultline.Conformance;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>A swap device that fails, is full, or is not there.</summary>
public sealed class SwapFailureTests : IDisposable
{
    private const ulong Page = PageSize.Small;
    private const int Pages = 8;

    private readonly FaultySwapDevice _swap = new(64);
    private readonly ManagedEngine _engine;
    private readonly IAddressSpace _space;
    private readonly IMemoryFile _file;
    private readonly IMemoryAccess _access;
    private readonly AddressRange _anonymous;
    private readonly AddressRange _shared;

    public SwapFailureTests()
    {
        _engine = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = 32UL << 20, Swap = _swap, GuardsMemory = true });
        _space = _engine.Home;
        _file = _engine.CreateMemoryFile(new MemoryFileOptions { Name = "swapped", Size = Pages * Page }).OrThrow("a file");
        _access = _space.OpenAccess().OrThrow("access");
        _anonymous = new AddressRange(_space.Map(MapRequest.PrivateAnonymous(Pages * Page)).OrThrow("mmap"), Pages * Page);
        _shared = new AddressRange(_space.Map(MapRequest.SharedFile(_file, Pages * Page)).OrThrow("mmap"), Pages * Page);
        for (ulong page = 0; page < Pages; page++)
        {
            Assert.True(_access.Write(_anonymous.Start + (page * Page), Pattern.Bytes(Page, page)).IsOk);
            Assert.True(_access.Write(_shared.Start + (page * Page), Pattern.Bytes(Page, page + 100)).IsOk);
        }
    }

    public void Dispose()
    {
        _access.Dispose();
        _file.Dispose();
        _engine.Dispose();
    }

    [Fact]
    public void PageOut_DeviceRefusesWrites_PagesStay()
    {
        _swap.FailsWrites = true;
        PageOut();
        Assert.Equal(2 * Pages, _swap.Writes);
        AssertContents();
        Assert.Equal(0, _swap.Reads);
        AssertAddsUp();
        _swap.FailsWrites = false;
        PageOut();
        Assert.Equal(Pages * Page, _space.Inspector.GetCounters().Value.Swap);
        AssertContents();
        AssertAddsUp();
    }

    [Fact]
    public void Reclaim_DeviceRefusesWrites_OutOfMemoryAndNothingIsLost()
    {
        var swap = new FaultySwapDevice(64) { FailsWrites = true };
        using var engine = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = 32UL << 20, MemoryLimitBytes = 64 * Page, Swap = swap });
        VirtualAddress start = engine.Home.Map(MapRequest.PrivateAnonymous(80 * Page)).OrThrow("mmap");
        using IMemoryAccess access = engine.Home.OpenAccess().OrThrow("access");
        ulong done = 0;
        AccessResult result;
        while ((result = access.Store(start + (done * Page), done)).IsOk)
        {
            done++;
        }

        Assert.Equal((AccessFault.OutOfMemory, 64UL), (result.Fault, done));
        for (ulong page = 0; page < done; page++)
        {
            Assert.True(access.Load(start + (page * Page), out ulong value).IsOk);
            Assert.Equal(page, value);
        }

        Assert.Empty(engine.FindViolations());
    }

    [Fact]
    public void Load_DeviceRefusesReads_BusErrorAndTheRestIsUntouched()
    {
        PageOut();
        _swap.FailsReads = true;
        Assert.Equal(AccessFault.BusError, _access.Load(_anonymous.Start, out _).Fault);
        Assert.Equal(AccessFault.BusError, _access.Store(_anonymous.Start + Page, 1).Fault);
        Assert.Equal(AccessFault.BusError, _access.Load(_shared.Start, out _).Fault);
        Assert.Equal(Errno.EIO, _file.Read(0, new byte[8]).Errno);
        Assert.Equal(Errno.EFAULT, _space.Advise(_anonymous, Advice.PopulateRead).Errno);
        AssertAddsUp();
        _swap.FailsReads = false;
        AssertContents();
        AssertAddsUp();
    }

    [Fact]
    public void Fills_DeviceRefusesReads_OnlyContinueNeedsThePage()
    {
        using IUserfaultfd uffd = UserfaultfdHandshake.Open(_space, UserfaultfdFeatures.None).OrThrow("userfaultfd");
        Assert.True(uffd.Register(_anonymous, RegisterModes.Missing).IsOk);
        Assert.True(uffd.Register(_shared, RegisterModes.Missing | RegisterModes.Minor).IsOk);
        PageOut();
        _swap.FailsReads = true;
        Expect.Fails(uffd.Continue(_shared.Slice(0, Page)), Errno.EIO);
        Expect.Fails(uffd.Copy(_shared.Start, new byte[Page]), Errno.EEXIST);
        Expect.Fails(uffd.Copy(_anonymous.Start, new byte[Page]), Errno.EEXIST);
        Assert.True(_space.Advise(_anonymous.Slice(Page, Page), Advice.DontNeed).IsOk);
        Expect.Filled(uffd.Move(_anonymous.Start + Page, _anonymous.Start + (2 * Page), Page), Page);
        AssertAddsUp();
        _swap.FailsReads = false;
        Expect.Filled(uffd.Continue(_shared), _shared.Length);
        Assert.True(_access.Load(_anonymous.Start + Page, out ulong moved).IsOk);
        Assert.Equal(Pattern.Word(2, 0), moved);
    }

    [Fact]
    public void Fork_SwappedPageUnreadable_BothSidesGetTheErrorAndThenThePage()
    {
        PageOut();
        using IAddressSpace child = _space.Fork().OrThrow("fork");
        using IMemoryAccess inChild = child.OpenAccess().OrThrow("access");
        _swap.FailsReads = true;
        Assert.Equal(AccessFault.BusError, inChild.Load(_anonymous.Start, out _).Fault);
        Assert.Equal(AccessFault.BusError, _access.Load(_anonymous.Start, out _).Fault);
        AssertAddsUp();
        _swap.FailsReads = false;
        Assert.True(inChild.Store(_anonymous.Start, 1).IsOk);
        AssertContents();
        AssertAddsUp();
    }

    [Fact]
    public void PageOut_DeviceIsFull_WhatDoesNotFitStays()
    {
        using var engine = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = 32UL << 20, Swap = new MemorySwapDevice(5) });
        AddressRange range = new(engine.Home.Map(MapRequest.PrivateAnonymous(Pages * Page)).OrThrow("mmap"), Pages * Page);
        using IMemoryAccess access = engine.Home.OpenAccess().OrThrow("access");
        for (ulong page = 0; page < Pages; page++)
        {
            Assert.True(access.Store(range.Start + (page * Page), page).IsOk);
        }

        Assert.True(engine.Home.Advise(range, Advice.PageOut).IsOk);
        ResidentCounters counters = engine.Home.Inspector.GetCounters().Value;
        Assert.Equal((3 * Page, 5 * Page), (counters.Anonymous, counters.Swap));
        Assert.Empty(engine.FindViolations());
    }

    // Without any swap, what was given up is all there is to reclaim.
    [Fact]
    public void Reclaim_NoSwap_DropsWhatWasGivenUp()
    {
        using var engine = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = 32UL << 20, MemoryLimitBytes = 64 * Page });
        AddressRange range = new(engine.Home.Map(MapRequest.PrivateAnonymous(128 * Page)).OrThrow("mmap"), 128 * Page);
        using IMemoryAccess access = engine.Home.OpenAccess().OrThrow("access");
        for (ulong page = 0; page < 64; page++)
        {
            Assert.True(access.Store(range.Start + (page * Page), page + 1).IsOk);
        }

        Assert.Equal(AccessFault.OutOfMemory, access.Store(range.Start + (100 * Page), 1).Fault);
        Assert.True(engine.Home.Advise(range.Slice(0, 32 * Page), Advice.Free).IsOk);
        Assert.True(access.Store(range.Start, 77).IsOk);
        for (ulong page = 64; page < 64 + 31; page++)
        {
            Assert.True(access.Store(range.Start + (page * Page), page + 1).IsOk);
        }

        // Written to since, it was kept; never given up, it was kept.
        Assert.True(access.Load(range.Start, out ulong kept).IsOk);
        Assert.True(access.Load(range.Start + (40 * Page), out ulong other).IsOk);
        Assert.Equal((77UL, 41UL), (kept, other));
        Assert.Empty(engine.FindViolations());
    }

    private void PageOut()
    {
        Assert.True(_space.Advise(_anonymous, Advice.PageOut).IsOk);
        Assert.True(_space.Advise(_shared, Advice.PageOut).IsOk);
    }

    private void AssertContents()
    {
        byte[] bytes = new byte[Page];
        for (ulong page = 0; page < Pages; page++)
        {
            Assert.True(_access.Read(_anonymous.Start + (page * Page), bytes).IsOk);
            Assert.Equal(Pattern.Bytes(Page, page), bytes);
            Assert.True(_access.Read(_shared.Start + (page * Page), bytes).IsOk);
            Assert.Equal(Pattern.Bytes(Page, page + 100), bytes);
        }
    }

    private void AssertAddsUp() => Assert.Empty(_engine.FindViolations());
}
