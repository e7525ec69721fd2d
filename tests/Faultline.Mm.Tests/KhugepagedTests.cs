using System;
using System.Diagnostics;
using System.Threading;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>khugepaged, asked to go over memory when the case wants it: what it takes, its limits, and what userfaultfd keeps it from.</summary>
public sealed class KhugepagedTests : IDisposable
{
    private const ulong Page = PageSize.Small;
    private const ulong Pages = PageSize.Huge / PageSize.Small;

    private readonly ManagedEngine _engine;
    private readonly IAddressSpace _space;
    private readonly IMemoryAccess _access;

    public KhugepagedTests()
    {
        _engine = new ManagedEngine(new ManagedEngineOptions
        {
            MemoryBytes = 64UL << 20,
            Swap = new MemorySwapDevice(4096),
            Khugepaged = new KhugepagedOptions { MaxAbsentPages = 100, MaxSwappedPages = 10, MaxSharedPages = 50, Files = TransparentHugePages.Madvise },
        });
        _space = _engine.CreateAddressSpace().OrThrow("an address space");
        _access = _space.OpenAccess().OrThrow("access");
    }

    public void Dispose()
    {
        Assert.Empty(_engine.FindViolations());
        _access.Dispose();
        _space.Dispose();
        _engine.Dispose();
    }

    [Fact]
    public void Scan_AdvisedSmallPages_BecomeOneHugePage()
    {
        AddressRange area = Small(Pages);
        Assert.Equal(1, _engine.ScanForHugePages());
        Assert.Equal(PageSize.Huge, HugeIn(area));
        CheckContents(area);
        Assert.Equal(0, _engine.ScanForHugePages());
    }

    [Fact]
    public void Scan_UnadvisedOrRefused_Left()
    {
        Small(Pages, Advice.Normal);
        Small(Pages, Advice.NoHugePage);
        Assert.Equal(0, _engine.ScanForHugePages());
    }

    [Theory]
    [InlineData(100, 1)]
    [InlineData(101, 0)]
    public void Scan_AbsentPages_UpToTheLimit(int absent, int made)
    {
        AddressRange area = Small(Pages - (ulong)absent);
        Assert.Equal(made, _engine.ScanForHugePages());
        Assert.Equal((ulong)made * PageSize.Huge, HugeIn(area));
    }

    [Theory]
    [InlineData(10, 1)]
    [InlineData(11, 0)]
    public void Scan_SwappedPages_UpToTheLimit(int swapped, int made)
    {
        AddressRange area = Small(Pages);
        _space.Advise(area with { Length = (ulong)swapped * Page }, Advice.PageOut).OrThrow("madvise");
        Assert.Equal(made, _engine.ScanForHugePages());
        CheckContents(area);
    }

    [Theory]
    [InlineData(50, 1)]
    [InlineData(51, 0)]
    public void Scan_PagesSharedByFork_UpToTheLimit(int shared, int made)
    {
        AddressRange area = Small(Pages);
        using IAddressSpace child = _space.Fork().OrThrow("fork");
        child.Advise(new AddressRange(area.Start + ((ulong)shared * Page), area.Length - ((ulong)shared * Page)), Advice.DontNeed).OrThrow("madvise");
        child.Advise(area, Advice.NoHugePage).OrThrow("madvise");
        Assert.Equal(made, _engine.ScanForHugePages());
        CheckContents(area);
        using IMemoryAccess inChild = child.OpenAccess().OrThrow("access");
        Assert.True(inChild.Load(area.Start + Page, out ulong value).IsOk);
        Assert.Equal(1UL, value);
    }

    // 10: what a monitor waits for does not come by itself.
    [Theory]
    [InlineData(RegisterModes.Missing)]
    [InlineData(RegisterModes.WriteProtect)]
    public void Scan_ArmedWithOneAbsentPage_LeftUntilUnregistered(RegisterModes modes)
    {
        AddressRange area = Small(Pages - 1);
        using IUserfaultfd uffd = UserfaultfdHandshake.Open(_space, UserfaultfdFeatures.None).OrThrow("userfaultfd");
        Assert.True(uffd.Register(area, modes).IsOk);
        Assert.Equal(0, _engine.ScanForHugePages());
        uffd.Unregister(area).OrThrow("unregister");
        Assert.Equal(1, _engine.ScanForHugePages());
    }

    [Fact]
    public void Scan_WriteProtectedPage_LeftUntilUnprotected()
    {
        AddressRange area = Small(Pages);
        using IUserfaultfd uffd = UserfaultfdHandshake.Open(_space, UserfaultfdFeatures.None).OrThrow("userfaultfd");
        Assert.True(uffd.Register(area, RegisterModes.WriteProtect).IsOk);
        uffd.WriteProtect(area with { Length = Page }, WriteProtectModes.Protect).OrThrow("write-protect");
        Assert.Equal(0, _engine.ScanForHugePages());
        uffd.WriteProtect(area with { Length = Page }, WriteProtectModes.None).OrThrow("un-protect");
        Assert.Equal(1, _engine.ScanForHugePages());
    }

    [Fact]
    public void Scan_File_HugeInTheCacheAndMappedByTheNextFaultEverywhere()
    {
        using IMemoryFile file = _engine.CreateMemoryFile(new MemoryFileOptions { Size = PageSize.Huge }).OrThrow("a memory file");
        AddressRange area = Mapped(MapRequest.SharedFile(file, PageSize.Huge), Advice.HugePage);
        AddressRange other = Mapped(MapRequest.SharedFile(file, PageSize.Huge), Advice.Normal);
        Fill(area, Pages);
        CheckContents(other);
        Assert.Equal(1, _engine.ScanForHugePages());
        CheckContents(area);
        CheckContents(other);
        Assert.Equal((PageSize.Huge, PageSize.Huge), (HugeIn(area), HugeIn(other)));
    }

    [Fact]
    public void Scan_FileWithAHoleAnArmedMappingWaitsFor_LeftUntilUnregistered()
    {
        using IMemoryFile file = _engine.CreateMemoryFile(new MemoryFileOptions { Size = PageSize.Huge }).OrThrow("a memory file");
        AddressRange area = Mapped(MapRequest.SharedFile(file, PageSize.Huge), Advice.HugePage);
        AddressRange armed = Mapped(MapRequest.SharedFile(file, PageSize.Huge), Advice.Normal);
        Fill(area, Pages - 1);
        using IUserfaultfd uffd = UserfaultfdHandshake.Open(_space, UserfaultfdFeatures.None).OrThrow("userfaultfd");
        Assert.True(uffd.Register(armed, RegisterModes.Missing).IsOk);
        Assert.Equal(0, _engine.ScanForHugePages());
        uffd.Unregister(armed).OrThrow("unregister");
        Assert.Equal(1, _engine.ScanForHugePages());
    }

    [Fact]
    public void Scan_MemoryThatSpansWereHandedOutOf_StaysInItsFrames()
    {
        VirtualAddress start = _engine.Home.Map(MapRequest.PrivateAnonymous(2 * PageSize.Huge)).OrThrow("mmap");
        var area = new AddressRange(new VirtualAddress((start.Value + PageSize.Huge - 1) & ~(PageSize.Huge - 1)), PageSize.Huge);
        using IMemoryAccess access = _engine.Home.OpenAccess().OrThrow("access");
        Assert.True(access.Store(area.Start, 1).IsOk);
        Assert.True(_engine.Home.TryGetSpan(area with { Length = Page }, out Span<byte> span));
        Assert.Equal(Errno.EAGAIN, _engine.Home.Advise(area, Advice.Collapse).Errno);
        Assert.True(access.Store(area.Start, 77).IsOk);
        Assert.Equal(77, span[0]);
    }

    [Fact]
    public void Interval_Set_GoesOverMemoryByItself()
    {
        using var engine = new ManagedEngine(new ManagedEngineOptions
        {
            MemoryBytes = 64UL << 20,
            Khugepaged = new KhugepagedOptions { Interval = TimeSpan.FromMilliseconds(5) },
        });
        using IAddressSpace space = engine.CreateAddressSpace().OrThrow("an address space");
        using IMemoryAccess access = space.OpenAccess().OrThrow("access");
        VirtualAddress start = space.Map(MapRequest.PrivateAnonymous(PageSize.Huge)).OrThrow("mmap");
        Assert.True(access.Store(start + Page, 5).IsOk);
        space.Advise(new AddressRange(start, PageSize.Huge), Advice.HugePage).OrThrow("madvise");
        var watch = Stopwatch.StartNew();
        bool isHuge = SpinWait.SpinUntil(
            () => space.Inspector.GetMappings(new AddressRange(start, PageSize.Huge)).Value[0].AnonymousHuge != 0, TimeSpan.FromSeconds(60));
        Assert.True(isHuge, $"Nothing was collapsed in {watch.Elapsed}.");
        Assert.True(access.Load(start + Page, out ulong value).IsOk);
        Assert.Equal(5UL, value);
    }

    private AddressRange Mapped(MapRequest request, Advice advice)
    {
        VirtualAddress start = _space.Map(request).OrThrow("mmap");
        Assert.True(start.IsAligned(PageSize.Huge));
        var area = new AddressRange(start, PageSize.Huge);
        _space.Advise(area, advice).OrThrow("madvise");
        return area;
    }

    /// <summary>The first pages of 2 MiB, small and each with its number, in a mapping of its own.</summary>
    private AddressRange Small(ulong pages, Advice advice = Advice.HugePage)
    {
        // Small, for nothing was advised yet.
        AddressRange area = Mapped(MapRequest.PrivateAnonymous(PageSize.Huge), Advice.Normal);
        Fill(area, pages);
        _space.Advise(area, advice).OrThrow("madvise");
        return area;
    }

    private void Fill(AddressRange area, ulong pages)
    {
        for (ulong page = 0; page < pages; page++)
        {
            Assert.True(_access.Store(area.Start + (page * Page), page).IsOk);
        }
    }

    private void CheckContents(AddressRange area)
    {
        for (ulong page = 0; page < Pages; page += 37)
        {
            Assert.True(_access.Load(area.Start + (page * Page), out ulong value).IsOk);
            Assert.Equal(page, value);
        }
    }

    private ulong HugeIn(AddressRange area)
    {
        VmaInfo vma = Assert.Single(_space.Inspector.GetMappings(area).OrThrow("smaps"));
        return vma.AnonymousHuge + vma.ShmemHuge;
    }
}
