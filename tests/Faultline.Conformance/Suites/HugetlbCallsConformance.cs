using Xunit;

namespace Faultline.Conformance;

/// <summary>What the calls of memory management answer and do where memory is made of huge pages: everything goes by whole ones.</summary>
[Section("7")]
public abstract class HugetlbCallsConformance(EngineHost host) : ConformanceSuite(host)
{
    private const ulong Huge = PageSize.Huge;

    /// <summary>Advice that hugetlb memory refuses, whatever the range.</summary>
    public static TheoryData<Advice, MemoryKind> RefusedAdvice
    {
        get
        {
            TheoryData<Advice, MemoryKind> rows = [];
            Advice[] refused =
            [
                Advice.Free, Advice.Cold, Advice.PageOut, Advice.Collapse, Advice.GuardInstall, Advice.GuardRemove, Advice.WipeOnFork,
            ];
            foreach (Advice advice in refused)
            {
                rows.Add(advice, MemoryKind.HugetlbShared);
                rows.Add(advice, MemoryKind.HugetlbPrivate);
            }

            return rows;
        }
    }

    /// <summary>Advice that is taken, with or without effect.</summary>
    public static TheoryData<Advice> AcceptedAdvice =>
    [
        Advice.Normal, Advice.Random, Advice.Sequential, Advice.WillNeed, Advice.DontNeed, Advice.DontNeedLocked, Advice.DontFork, Advice.DoFork,
        Advice.KeepOnFork, Advice.HugePage, Advice.NoHugePage, Advice.PopulateRead, Advice.PopulateWrite,
    ];

    [Theory]
    [InlineData(MapOptions.Private)]
    [InlineData(MapOptions.Shared)]
    public void Map_OddLength_RoundedUpToHugePages(MapOptions sharing)
    {
        Bed.NeedHugePages();
        MapRequest request = new() { Length = Huge + 1, Protection = Protections.ReadWrite, Options = sharing | MapOptions.Anonymous | MapOptions.HugeTlb };
        VirtualAddress mapped = Expect.Ok(Bed.Space.Map(request));
        Assert.True(mapped.IsAligned(Huge));
        Assert.Equal(new AddressRange(mapped, 2 * Huge), Bed.Vma(new(mapped, 2 * Huge)).Range);
        Bed.Store(mapped + ((2 * Huge) - 8), 3);
        Assert.Equal(3UL, Bed.Load(mapped + ((2 * Huge) - 8)));
    }

    [Fact]
    public void Map_FixedWithinAHugePage_EINVAL()
    {
        IMemoryFile file = Bed.File(MemoryKind.HugetlbShared, pages: 1);
        MapRequest request = MapRequest.SharedFile(file, Huge) with { Address = Bed.NextPlace() + PageSize.Small };
        Expect.Fails(Bed.Space.Map(request with { Options = request.Options | MapOptions.Fixed }), Errno.EINVAL);
        Expect.Fails(Bed.Space.Map(request with { Options = request.Options | MapOptions.FixedNoReplace }), Errno.EINVAL);
        Assert.True(Expect.Ok(Bed.Space.Map(request)).IsAligned(Huge));
    }

    [Fact]
    public void Map_OffsetWithinAHugePage_EINVAL()
    {
        IMemoryFile file = Bed.File(MemoryKind.HugetlbShared, pages: 2);
        Expect.Fails(Bed.Space.Map(MapRequest.SharedFile(file, Huge, PageSize.Small)), Errno.EINVAL);
        Expect.Fails(Bed.Space.Map(MapRequest.PrivateFile(file, Huge, PageSize.Small)), Errno.EINVAL);
    }

    [Fact]
    public void Map_HugeTlbOfAnOrdinaryFile_EINVAL()
    {
        Bed.NeedHugePages();
        var request = MapRequest.SharedFile(Bed.File(MemoryKind.ShmemShared, pages: 512), Huge);
        Expect.Fails(Bed.Space.Map(request with { Options = request.Options | MapOptions.HugeTlb }), Errno.EINVAL);
    }

    [Fact]
    public void Map_Populate_PagesAreThere()
    {
        MappedArea area = Populated(MapOptions.Populate);
        Assert.True(Bed.Pagemap(area, 0).IsPresent && Bed.Pagemap(area, 1).IsPresent);
    }

    // Huge pages are never swapped, so never locked either: they are populated, and that is all.
    [Fact]
    public void Map_Locked_PopulatedAndNotLocked()
    {
        MappedArea area = Populated(MapOptions.Locked);
        Assert.True(Bed.Pagemap(area, 0).IsPresent && Bed.Pagemap(area, 1).IsPresent);
        Assert.False(Bed.Vma(area.Range).IsLocked);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Lock_PartOfAHugePage_PopulatedAndNotLocked(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 2);
        Expect.Ok(Bed.Space.Lock(area.Range.Slice(PageSize.Small, PageSize.Small)));
        Assert.Equal((true, false), (Bed.Pagemap(area, 0).IsPresent, Bed.Pagemap(area, 1).IsPresent));
        Assert.False(Bed.Vma(area.Range).IsLocked);
        Expect.Ok(Bed.Space.Unlock(area.Range));
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.DontNeed));
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Unmap_PartOfAHugePage_EINVALAndNothingGone(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 2);
        Bed.Store(area.At(0), 5);
        Expect.Fails(Bed.Space.Unmap(area.Range.Slice(0, PageSize.Small)), Errno.EINVAL);
        Expect.Fails(Bed.Space.Unmap(area.Range.Slice(PageSize.Small, Huge)), Errno.EINVAL);
        Expect.Fails(Bed.Space.Unmap(area.Range.Slice(Huge + PageSize.Small, Huge - PageSize.Small)), Errno.EINVAL);
        Assert.Equal(area.Range, Bed.Vma(area.Range).Range);
        Assert.Equal(5UL, Bed.Load(area.At(0)));
        Expect.Ok(Bed.Space.Unmap(area.Page(0)));
        Assert.Equal(area.Page(1), Bed.Vma(area.Range).Range);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Protect_PartOfAHugePage_EINVAL(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 2);
        Expect.Fails(Bed.Space.Protect(area.Range.Slice(0, PageSize.Small), Protections.Read), Errno.EINVAL);
        Expect.Fails(Bed.Space.Protect(area.Range.Slice(PageSize.Small, Huge), Protections.Read), Errno.EINVAL);
        Assert.Equal(Protections.ReadWrite, Bed.Vma(area.Range).Protection);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Protect_OnePageAndBack_ForbidsThenAllows(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 2);
        Bed.Store(area.At(0), 5);
        Bed.Store(area.At(1), 6);
        Expect.Ok(Bed.Space.Protect(area.Page(0), Protections.Read));
        Bed.StoreFails(area.At(0), AccessFault.Protection);
        Assert.Equal(5UL, Bed.Load(area.At(0)));
        Expect.Ok(Bed.Space.Protect(area.Page(0), Protections.None));
        Bed.LoadFails(area.At(0), AccessFault.Protection);
        Bed.Store(area.At(1), 7);
        Expect.Ok(Bed.Space.Protect(area.Page(0), Protections.ReadWrite));
        Bed.Store(area.At(0), 8);
        Assert.Equal((8UL, 7UL), (Bed.Load(area.At(0)), Bed.Load(area.At(1))));
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Remap_LongerOrWithinAHugePage_EINVAL(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 2);
        VirtualAddress target = Bed.NextPlace();
        const RemapOptions Move = RemapOptions.MayMove | RemapOptions.Fixed;
        Expect.Fails(Bed.Space.Remap(area.Range, 3 * Huge, RemapOptions.MayMove), Errno.EINVAL);
        Expect.Fails(Bed.Space.Remap(area.Range, 3 * Huge, RemapOptions.None), Errno.EINVAL);
        Expect.Fails(Bed.Space.Remap(area.Range, 2 * Huge, Move, target + PageSize.Small), Errno.EINVAL);
        Expect.Fails(Bed.Space.Remap(area.Range.Slice(PageSize.Small, Huge), Huge, Move, target), Errno.EINVAL);
        Expect.Fails(Bed.Space.Remap(area.Range with { Length = 0 }, 2 * Huge, Move, target), Errno.EINVAL);
        Expect.Fails(Bed.Space.Remap(area.Range, 2 * Huge, RemapOptions.MayMove | RemapOptions.DontUnmap), Errno.EINVAL);
        Assert.Equal(area.Range, Bed.Vma(area.Range).Range);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Remap_Shorter_RestIsUnmapped(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 3);
        Bed.Store(area.At(0), 5);
        Assert.Equal(area.Range.Start, Expect.Ok(Bed.Space.Remap(area.Range, Huge - PageSize.Small, RemapOptions.None)));
        Assert.Equal(area.Page(0), Bed.Vma(area.Range).Range);
        Assert.Equal(5UL, Bed.Load(area.At(0)));
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Remap_MiddlePageElsewhere_PageAndContentsMove(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 3);
        for (int page = 0; page < 3; page++)
        {
            Bed.Store(area.At(page), (ulong)page + 5);
        }

        ulong frame = Bed.Pagemap(area, 1).FrameOrSwap;
        VirtualAddress target = Bed.NextPlace();
        Expect.Ok(Bed.Space.Remap(area.Page(1), Huge, RemapOptions.MayMove | RemapOptions.Fixed, target));
        Assert.Equal((6UL, 5UL, 7UL), (Bed.Load(target), Bed.Load(area.At(0)), Bed.Load(area.At(2))));
        Assert.Equal(frame, Bed.Pagemap(target).FrameOrSwap);
        Bed.LoadFails(area.At(1), AccessFault.NotMapped);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Remap_SeveralMappings_AllMoveWithWhatIsReserved(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 3);
        Bed.Store(area.At(0), 5);
        Bed.Store(area.At(2), 7);
        Expect.Ok(Bed.Space.Protect(area.Page(1), Protections.Read));
        VirtualAddress target = Bed.NextPlace();
        Expect.Ok(Bed.Space.Remap(area.Range, 3 * Huge, RemapOptions.MayMove | RemapOptions.Fixed, target));
        Assert.Equal(3, Bed.Vmas(area.Range with { Start = target }).Count);
        Assert.Equal((5UL, 0UL, 7UL), (Bed.Load(target), Bed.Load(target + Huge), Bed.Load(target + (2 * Huge))));
        Bed.StoreFails(target + Huge, AccessFault.Protection);
        Assert.Empty(Bed.Vmas(area.Range));
    }

    [Theory]
    [MemberData(nameof(RefusedAdvice))]
    public void Advise_WhatHugetlbRefuses_EINVALWithoutEffectOrEvent(Advice advice, MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Bed.Store(area.At(0), 5);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.EventRemove);
        Expect.Fails(Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Range, advice)).Await(), Errno.EINVAL);
        monitor.ExpectNothingQueued();
        Assert.Equal(5UL, Bed.Load(area.At(0)));
    }

    [Theory]
    [MemberData(nameof(AcceptedAdvice))]
    public void Advise_WholeHugePages_Succeeds(Advice advice)
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 2);
        Expect.Ok(Bed.Space.Advise(area.Page(1), advice));
        bool brings = advice is Advice.PopulateRead or Advice.PopulateWrite;
        Assert.Equal((false, brings), (Bed.Pagemap(area, 0).IsPresent, Bed.Pagemap(area, 1).IsPresent));
    }

    // What changes the mapping cuts it, and cannot cut through a huge page.
    [Theory]
    [InlineData(Advice.DontFork)]
    [InlineData(Advice.NoHugePage)]
    public void Advise_FlagsOfPartOfAHugePage_EINVAL(Advice advice)
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 2);
        Expect.Fails(Bed.Space.Advise(area.Range.Slice(0, PageSize.Small), advice), Errno.EINVAL);
        Expect.Fails(Bed.Space.Advise(area.Range.Slice(PageSize.Small, Huge), advice), Errno.EINVAL);
        Assert.Equal(area.Range, Bed.Vma(area.Range).Range);
    }

    [Theory]
    [InlineData(Advice.DontNeed)]
    [InlineData(Advice.DontNeedLocked)]
    public void Advise_DontNeedFromWithinAHugePage_EINVAL(Advice advice)
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbPrivate, pages: 2);
        Bed.Store(area.At(1), 5);
        Expect.Fails(Bed.Space.Advise(area.Range.Slice(PageSize.Small, (2 * Huge) - PageSize.Small), advice), Errno.EINVAL);
        Assert.Equal(5UL, Bed.Load(area.At(1)));
    }

    [Fact]
    public void Advise_PopulateSmallPart_BringsTheHugePage()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbPrivate, pages: 2);
        Expect.Ok(Bed.Space.Advise(area.Range.Slice(Huge + PageSize.Small, PageSize.Small), Advice.PopulateWrite));
        Assert.Equal((false, true), (Bed.Pagemap(area, 0).IsPresent, Bed.Pagemap(area, 1).IsPresent));
        Assert.Equal(0, Bed.CountStoreFaults(area.At(1, Huge - 8)).Minor);
    }

    [Fact]
    public void Advise_DontForkOnePage_ChildHasAHoleThere()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbPrivate, pages: 2);
        Bed.Store(area.At(1), 5);
        Expect.Ok(Bed.Space.Advise(area.Page(0), Advice.DontFork));
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        IMemoryAccess access = Bed.Own(Expect.Ok(child.OpenAccess()));
        PendingAccess.Load(access, area.At(0)).AwaitFault(AccessFault.NotMapped);
        Assert.Equal(5UL, PendingAccess.Load(access, area.At(1)).AwaitValue());
    }

    [Theory]
    [InlineData(MemoryKind.HugetlbPrivate, Errno.EACCES)]
    [InlineData(MemoryKind.HugetlbShared, Errno.None)]
    public void Advise_Remove_SharedOnly(MemoryKind kind, Errno errno)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Bed.Store(area.At(0), 5);
        Expect.Fails(Bed.Space.Advise(area.Range, Advice.Remove), errno);
        Assert.Equal(errno == Errno.None ? 0UL : 5UL, Bed.Load(area.At(0)));
    }

    // MADV_REMOVE of a small part clears it, and keeps the page.
    [Fact]
    public void Advise_RemovePartOfAHugePage_ClearsThatPart()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 1);
        Bed.FillCache(area);
        Expect.Ok(Bed.Space.Advise(area.Range.Slice(PageSize.Small, PageSize.Small), Advice.Remove));
        Assert.Equal(Pattern.Word(0, PageSize.Small - 8), Bed.Load(area.At(0, PageSize.Small - 8)));
        Assert.Equal((0UL, 0UL), (Bed.Load(area.At(0, PageSize.Small)), Bed.Load(area.At(0, (2 * PageSize.Small) - 8))));
        Assert.Equal(Pattern.Word(0, 2 * PageSize.Small), Bed.Load(area.At(0, 2 * PageSize.Small)));
    }

    private MappedArea Populated(MapOptions more)
    {
        IMemoryFile file = Bed.File(MemoryKind.HugetlbPrivate, pages: 2);
        var request = MapRequest.PrivateFile(file, 2 * Huge);
        return new(MemoryKind.HugetlbPrivate, Bed.MapAt(Bed.NextPlace(), request with { Options = request.Options | more }), file);
    }
}
