using System;
using System.Threading;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>The engine from outside, with an engine for each case: what the suites on both engines do not say.</summary>
public sealed class EngineTests : IDisposable
{
    private const ulong Page = PageSize.Small;

    private readonly ManagedEngine _engine = new(new ManagedEngineOptions
    {
        MemoryBytes = 64UL << 20,
        MemoryLimitBytes = 16UL << 20,
        Swap = new MemorySwapDevice(4096),
    });

    private readonly long _framesAtStart;

    public EngineTests() => _framesAtStart = _engine.FramesInUse;

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void AddressSpace_Ended_GivesBackEveryFrame()
    {
        using (IAddressSpace space = NewSpace())
        {
            VirtualAddress memory = space.Map(MapRequest.PrivateAnonymous(256 * Page)).OrThrow("mmap");
            Fill(space, memory, 256, seed: 1);
            using IMemoryFile file = NewFile(64);
            VirtualAddress shared = space.Map(MapRequest.SharedFile(file, 64 * Page)).OrThrow("mmap");
            Fill(space, shared, 64, seed: 2);
            Assert.Empty(_engine.FindViolations());
            Assert.True(_engine.FramesInUse >= _framesAtStart + 320);
        }

        Assert.Empty(_engine.FindViolations());
        Assert.Equal(_framesAtStart, _engine.FramesInUse);
    }

    [Fact]
    public void Fork_WriteOnEitherSide_IsNotSeenByTheOther()
    {
        using IAddressSpace parent = NewSpace();
        VirtualAddress memory = parent.Map(MapRequest.PrivateAnonymous(8 * Page)).OrThrow("mmap");
        Fill(parent, memory, 8, seed: 1);
        using IAddressSpace child = parent.Fork().OrThrow("fork");
        Assert.Empty(_engine.FindViolations());
        using IMemoryAccess inParent = parent.OpenAccess().OrThrow("access");
        using IMemoryAccess inChild = child.OpenAccess().OrThrow("access");
        Assert.True(inParent.Store(memory, 100).IsOk);
        Assert.True(inChild.Store(memory + Page, 200).IsOk);
        Assert.Equal(ValueOf(1, 0), Load(inChild, memory));
        Assert.Equal(ValueOf(1, 1), Load(inParent, memory + Page));
        Assert.Equal(100UL, Load(inParent, memory));
        Assert.Equal(200UL, Load(inChild, memory + Page));
        Assert.Empty(_engine.FindViolations());
    }

    [Fact]
    public void PageOut_AnonymousAndShmem_ComesBackWithItsContents()
    {
        using IAddressSpace space = NewSpace();
        using IMemoryFile file = NewFile(32);
        VirtualAddress anonymous = space.Map(MapRequest.PrivateAnonymous(32 * Page)).OrThrow("mmap");
        VirtualAddress shared = space.Map(MapRequest.SharedFile(file, 32 * Page)).OrThrow("mmap");
        Fill(space, anonymous, 32, seed: 1);
        Fill(space, shared, 32, seed: 2);
        long before = _engine.FramesInUse;
        space.Advise(new AddressRange(anonymous, 32 * Page), Advice.PageOut).OrThrow("madvise");
        space.Advise(new AddressRange(shared, 32 * Page), Advice.PageOut).OrThrow("madvise");
        Assert.Equal(before - 64, _engine.FramesInUse);
        Assert.Equal(32 * Page, space.Inspector.GetCounters().Value.Swap);
        Assert.Empty(_engine.FindViolations());
        Check(space, anonymous, 32, seed: 1);
        Check(space, shared, 32, seed: 2);
        Assert.Equal(0UL, space.Inspector.GetCounters().Value.Swap);
        Assert.Empty(_engine.FindViolations());
    }

    [Fact]
    public void PageOut_ThenFork_BothSidesReadIt()
    {
        using IAddressSpace parent = NewSpace();
        VirtualAddress memory = parent.Map(MapRequest.PrivateAnonymous(16 * Page)).OrThrow("mmap");
        Fill(parent, memory, 16, seed: 5);
        parent.Advise(new AddressRange(memory, 16 * Page), Advice.PageOut).OrThrow("madvise");
        using IAddressSpace child = parent.Fork().OrThrow("fork");
        Assert.Empty(_engine.FindViolations());
        Check(child, memory, 16, seed: 5);
        Fill(parent, memory, 16, seed: 6);
        Check(child, memory, 16, seed: 5);
        Check(parent, memory, 16, seed: 6);
        Assert.Empty(_engine.FindViolations());
    }

    [Fact]
    public void Remap_Moved_ContentsFollowAndTheOldPlaceIsGone()
    {
        using IAddressSpace space = NewSpace();
        VirtualAddress from = space.Map(MapRequest.PrivateAnonymous(600 * Page)).OrThrow("mmap");
        Fill(space, from, 600, seed: 3);
        VirtualAddress to = new(0x10_0000_3000);
        Assert.Equal(to, space.Remap(new AddressRange(from, 600 * Page), 700 * Page, RemapOptions.MayMove | RemapOptions.Fixed, to).OrThrow("mremap"));
        Check(space, to, 600, seed: 3);
        using IMemoryAccess access = space.OpenAccess().OrThrow("access");
        Assert.Equal(AccessFault.NotMapped, access.Load(from, out _).Fault);
        Assert.Equal(0UL, Load(access, to + (650 * Page)));
        Assert.Empty(_engine.FindViolations());
    }

    [Fact]
    public void Access_MoreThanTheGroupAllows_IsSwappedOutAndComesBack()
    {
        using IAddressSpace space = NewSpace();
        ulong pages = (16UL << 20) / Page;
        VirtualAddress memory = space.Map(MapRequest.PrivateAnonymous((pages + 1000) * Page)).OrThrow("mmap");
        using IMemoryFile file = NewFile(1000);
        VirtualAddress shared = space.Map(MapRequest.SharedFile(file, 1000 * Page)).OrThrow("mmap");
        Fill(space, shared, 1000, seed: 8);
        Fill(space, memory, pages + 1000, seed: 7);
        Assert.True(space.Inspector.GetCounters().Value.Swap > 0);
        Assert.Empty(_engine.FindViolations());
        Check(space, memory, pages + 1000, seed: 7);
        Check(space, shared, 1000, seed: 8);
        Assert.Empty(_engine.FindViolations());
    }

    [Fact]
    public void Access_GroupIsFull_EndsInOutOfMemoryAndGoesOnAfterwards()
    {
        using var engine = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = 64UL << 20, MemoryLimitBytes = 16UL << 20 });
        IAddressSpace space = engine.Home;
        ulong pages = (16UL << 20) / Page;
        VirtualAddress memory = space.Map(MapRequest.PrivateAnonymous((pages + 10) * Page)).OrThrow("mmap");
        using IMemoryAccess access = space.OpenAccess().OrThrow("access");
        ulong done = 0;
        AccessResult result;
        while ((result = access.Store(memory + (done * Page), done)).IsOk)
        {
            done++;
        }

        Assert.Equal(AccessFault.OutOfMemory, result.Fault);
        Assert.Equal(pages, done);
        Assert.Empty(engine.FindViolations());
        space.Advise(new AddressRange(memory, 5 * Page), Advice.DontNeed).OrThrow("madvise");
        Assert.True(access.Store(memory + (done * Page), done).IsOk);
    }

    [Fact]
    public void Dispose_ThreadSleepsInAFault_ItIsKilled()
    {
        IAddressSpace space = NewSpace();
        VirtualAddress memory = space.Map(MapRequest.PrivateAnonymous(Page)).OrThrow("mmap");
        using IUserfaultfd uffd = UserfaultfdHandshake.Open(space, UserfaultfdFeatures.None).OrThrow("userfaultfd");
        Assert.True(uffd.Register(new AddressRange(memory, Page), RegisterModes.Missing).IsOk);
        using IMemoryAccess access = space.OpenAccess().OrThrow("access");
        AccessResult result = default;
        var thread = new Thread(() => result = access.Load(memory, out _));
        thread.Start();
        Assert.True(SpinWait.SpinUntil(() => uffd.GetCounts().Value.Total == 1, TimeSpan.FromSeconds(60)));
        space.Dispose();
        Assert.True(thread.Join(TimeSpan.FromSeconds(60)));
        Assert.Equal(AccessFault.Killed, result.Fault);
        Assert.Equal(Errno.ESRCH, uffd.Zeropage(new AddressRange(memory, Page)).Errno);
    }

    [Fact]
    public void Truncate_WhileMapped_EntriesBeyondTheEndGoInEveryMapping()
    {
        using IAddressSpace space = NewSpace();
        using IMemoryFile file = NewFile(8);
        VirtualAddress shared = space.Map(MapRequest.SharedFile(file, 8 * Page)).OrThrow("mmap");
        VirtualAddress copy = space.Map(MapRequest.PrivateFile(file, 8 * Page)).OrThrow("mmap");
        Fill(space, shared, 8, seed: 4);
        Fill(space, copy, 8, seed: 5);
        Assert.True(file.Truncate((3 * Page) + 100).IsOk);
        using IMemoryAccess access = space.OpenAccess().OrThrow("access");
        Assert.Equal(AccessFault.BusError, access.Load(shared + (4 * Page), out _).Fault);
        Assert.Equal(AccessFault.BusError, access.Load(copy + (4 * Page), out _).Fault);
        Assert.Equal(0UL, Load(access, shared + (3 * Page) + 104));
        Assert.Equal(ValueOf(5, 3), Load(access, copy + (3 * Page)));
        Assert.Equal(4UL * 8, file.GetStatus().Value.Blocks);
        Assert.Empty(_engine.FindViolations());
    }

    [Fact]
    public void GetMappings_SplitAndMerged_AreOneAgain()
    {
        using IAddressSpace space = NewSpace();
        VirtualAddress memory = space.Map(MapRequest.PrivateAnonymous(8 * Page)).OrThrow("mmap");
        var middle = new AddressRange(memory + (2 * Page), 3 * Page);
        space.Protect(middle, Protections.Read).OrThrow("mprotect");
        Assert.Equal(3, space.Inspector.GetMappings(new AddressRange(memory, 8 * Page)).Value.Count);
        space.Protect(middle, Protections.ReadWrite).OrThrow("mprotect");
        VmaInfo whole = Assert.Single(space.Inspector.GetMappings(new AddressRange(memory, 8 * Page)).Value);
        Assert.Equal(new AddressRange(memory, 8 * Page), whole.Range);
    }

    private static ulong ValueOf(ulong seed, ulong page) => (seed << 32) + page;

    private static ulong Load(IMemoryAccess access, VirtualAddress address)
    {
        AccessResult result = access.Load(address, out ulong value);
        Assert.True(result.IsOk, $"A load at {address} ended in {result.Fault}.");
        return value;
    }

    private static void Fill(IAddressSpace space, VirtualAddress start, ulong pages, ulong seed)
    {
        using IMemoryAccess access = space.OpenAccess().OrThrow("access");
        for (ulong page = 0; page < pages; page++)
        {
            Assert.True(access.Store(start + (page * Page), ValueOf(seed, page)).IsOk);
        }
    }

    private static void Check(IAddressSpace space, VirtualAddress start, ulong pages, ulong seed)
    {
        using IMemoryAccess access = space.OpenAccess().OrThrow("access");
        for (ulong page = 0; page < pages; page++)
        {
            Assert.Equal(ValueOf(seed, page), Load(access, start + (page * Page)));
        }
    }

    private IAddressSpace NewSpace() => _engine.CreateAddressSpace().OrThrow("an address space");

    private IMemoryFile NewFile(ulong pages) =>
        _engine.CreateMemoryFile(new MemoryFileOptions { Name = "file", Size = pages * Page }).OrThrow("a memory file");
}
