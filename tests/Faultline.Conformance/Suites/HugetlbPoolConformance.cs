using Xunit;

namespace Faultline.Conformance;

/// <summary>
/// The pool of huge pages: what mappings and files have reserved there, when it is used, when it comes back, and what an empty pool means.
/// </summary>
/// <remarks>
/// The kernel's pool belongs to the whole machine: nothing else may use it meanwhile, and a count that others disturb is looked at again.
/// </remarks>
[Section("7")]
public abstract class HugetlbPoolConformance(EngineHost host) : ConformanceSuite(host)
{
    [Theory]
    [InlineData(MemoryKind.HugetlbShared)]
    [InlineData(MemoryKind.HugetlbPrivate)]
    public void Map_Pages_ReservesThem(MemoryKind kind)
    {
        HugePagePool before = Bed.ReadPool();
        MappedArea area = Map(kind, pages: 3);
        ExpectPool(before.Plus(free: 0, reserved: 3));
        Expect.Ok(Bed.Space.Unmap(area.Range));
        ExpectPool(before.Plus(free: 0, reserved: kind.IsShared() ? 3 : 0));
        area.Backing.Dispose();
        ExpectPool(before);
    }

    [Theory]
    [InlineData(MemoryKind.HugetlbShared)]
    [InlineData(MemoryKind.HugetlbPrivate)]
    public void Map_NoReserve_ReservesNothing(MemoryKind kind)
    {
        HugePagePool before = Bed.ReadPool();
        MappedArea area = Map(kind, pages: 3, MapOptions.NoReserve);
        ExpectPool(before);
        Bed.Store(area.At(1));
        ExpectPool(before.Plus(free: -1, reserved: 0));
        Expect.Ok(Bed.Space.Unmap(area.Range));
        ExpectPool(before.Plus(free: kind.IsShared() ? -1 : 0, reserved: 0));
    }

    [Fact]
    public void Map_WithoutRights_ReservesAllTheSame()
    {
        HugePagePool before = Bed.ReadPool();
        Bed.Map(MemoryKind.HugetlbPrivate, pages: 2, Protections.None);
        ExpectPool(before.Plus(free: 0, reserved: 2));
    }

    [Fact]
    public void Map_SharedFileTwice_ReservesEachPageOnce()
    {
        HugePagePool before = Bed.ReadPool();
        MappedArea area = Map(MemoryKind.HugetlbShared, pages: 2);
        Bed.Alias(area);
        ExpectPool(before.Plus(free: 0, reserved: 2));
        Bed.MapFile(MemoryKind.HugetlbShared, area.Backing, pages: 3, offset: PageSize.Huge);
        ExpectPool(before.Plus(free: 0, reserved: 4));
    }

    [Fact]
    public void Map_PrivateFileTwice_ReservesForEach()
    {
        HugePagePool before = Bed.ReadPool();
        MappedArea area = Map(MemoryKind.HugetlbPrivate, pages: 2);
        Bed.MapFile(MemoryKind.HugetlbPrivate, area.Backing, pages: 2);
        ExpectPool(before.Plus(free: 0, reserved: 4));
    }

    [Theory]
    [InlineData(MemoryKind.HugetlbShared, true)]
    [InlineData(MemoryKind.HugetlbShared, false)]
    [InlineData(MemoryKind.HugetlbPrivate, true)]
    [InlineData(MemoryKind.HugetlbPrivate, false)]
    public void Access_ReservedPage_UsesItsReservation(MemoryKind kind, bool isWrite)
    {
        HugePagePool before = Bed.ReadPool();
        MappedArea area = Map(kind, pages: 3);
        Bed.Start(isWrite, area.At(1)).AwaitValue();
        ExpectPool(before.Plus(free: -1, reserved: 2));
        Bed.Start(isWrite, area.At(1, 4096)).AwaitValue();
        Bed.Store(area.At(1));
        ExpectPool(before.Plus(free: -1, reserved: 2));
    }

    // 24 free and 8 reserved become 23 and 7.
    [Theory]
    [InlineData(MemoryKind.HugetlbShared)]
    [InlineData(MemoryKind.HugetlbPrivate)]
    public void Copy_ReservedPage_UsesItsReservation(MemoryKind kind)
    {
        HugePagePool before = Bed.ReadPool();
        MappedArea area = Map(kind, pages: 3);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Huge, 1)), PageSize.Huge);
        ExpectPool(before.Plus(free: -1, reserved: 2));
    }

    // 13, row 15: a copy that fails leaves free pages and reservations as they were.
    [Theory]
    [InlineData(MemoryKind.HugetlbShared)]
    [InlineData(MemoryKind.HugetlbPrivate)]
    public void Copy_ThatFails_GivesPageAndReservationBack(MemoryKind kind)
    {
        HugePagePool before = Bed.ReadPool();
        MappedArea area = Map(kind, pages: 3);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Copy(area.At(1), Pattern.Bytes(PageSize.Huge, 1)), PageSize.Huge);
        HugePagePool one = before.Plus(free: -1, reserved: 2);
        ExpectPool(one);
        Expect.Fails(monitor.Uffd.Copy(area.Page(0), Bed.NextPlace()), Errno.EFAULT);
        ExpectPool(one);
        Expect.Fails(monitor.Uffd.Copy(area.At(1), Pattern.Bytes(PageSize.Huge, 1)), Errno.EEXIST);
        ExpectPool(one);
        Expect.Fails(monitor.Uffd.Copy(area.Range.Slice(0, PageSize.Small), Bed.NextPlace()), Errno.EINVAL);
        ExpectPool(one);
    }

    // The page belongs to the mapping again: nobody else can take it.
    [Fact]
    public void DontNeed_PrivatePage_IsReservedAgain()
    {
        HugePagePool before = Bed.ReadPool();
        MappedArea area = Map(MemoryKind.HugetlbPrivate, pages: 2);
        Bed.Store(area.At(0));
        ExpectPool(before.Plus(free: -1, reserved: 1));
        Expect.Ok(Bed.Space.Advise(area.Page(0), Advice.DontNeed));
        ExpectPool(before.Plus(free: 0, reserved: 2));
        Assert.Equal(0UL, Bed.Load(area.At(0)));
        ExpectPool(before.Plus(free: -1, reserved: 1));
    }

    [Fact]
    public void DontNeed_SharedPage_StaysInTheFile()
    {
        HugePagePool before = Bed.ReadPool();
        MappedArea area = Map(MemoryKind.HugetlbShared, pages: 2);
        Bed.Store(area.At(0));
        Expect.Ok(Bed.Space.Advise(area.Page(0), Advice.DontNeed));
        ExpectPool(before.Plus(free: -1, reserved: 1));
    }

    // The page has used the file's reservation, so none comes back with it.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void PunchHole_Page_IsFreeAndNotReserved(bool throughTheFile)
    {
        HugePagePool before = Bed.ReadPool();
        MappedArea area = Map(MemoryKind.HugetlbShared, pages: 3);
        Bed.Store(area.At(0));
        Expect.Ok(throughTheFile ? area.Backing.PunchHole(0, PageSize.Huge) : Bed.Space.Advise(area.Page(0), Advice.Remove));
        ExpectPool(before.Plus(free: 0, reserved: 2));
        Bed.Store(area.At(0));
        ExpectPool(before.Plus(free: -1, reserved: 2));
    }

    [Fact]
    public void PunchHole_ReservedAndNotThere_StaysReserved()
    {
        HugePagePool before = Bed.ReadPool();
        MappedArea area = Map(MemoryKind.HugetlbShared, pages: 3);
        Expect.Ok(area.Backing.PunchHole(0, 2 * PageSize.Huge));
        ExpectPool(before.Plus(free: 0, reserved: 3));
    }

    [Fact]
    public void Truncate_FileThatIsMapped_PagesAndReservationsBeyondGo()
    {
        HugePagePool before = Bed.ReadPool();
        MappedArea area = Map(MemoryKind.HugetlbShared, pages: 4);
        Bed.Store(area.At(0));
        Bed.Store(area.At(3));
        ExpectPool(before.Plus(free: -2, reserved: 2));
        Expect.Ok(area.Backing.Truncate(2 * PageSize.Huge));
        ExpectPool(before.Plus(free: -1, reserved: 1));
        Expect.Ok(area.Backing.Truncate(0));
        ExpectPool(before);
    }

    [Fact]
    public void Allocate_Pages_TakesWhatIsLeftOverAndUsesReservations()
    {
        HugePagePool before = Bed.ReadPool();
        IMemoryFile file = Bed.File(MemoryKind.HugetlbShared, pages: 4);
        Expect.Ok(file.Allocate(0, PageSize.Huge));
        ExpectPool(before.Plus(free: -1, reserved: 0));
        Bed.MapFile(MemoryKind.HugetlbShared, file, pages: 3);
        ExpectPool(before.Plus(free: -1, reserved: 2));
        Expect.Ok(file.Allocate(0, 2 * PageSize.Huge));
        ExpectPool(before.Plus(free: -2, reserved: 1));
    }

    [Fact]
    public void Unmap_PartOfAPrivateMapping_GivesThatPartBack()
    {
        HugePagePool before = Bed.ReadPool();
        MappedArea area = Map(MemoryKind.HugetlbPrivate, pages: 4);
        Bed.Store(area.At(1));
        Bed.Store(area.At(3));
        Expect.Ok(Bed.Space.Unmap(area.Pages(1, 2)));
        ExpectPool(before.Plus(free: -1, reserved: 1));
        Bed.Store(area.At(0));
        ExpectPool(before.Plus(free: -2, reserved: 0));
        Expect.Ok(Bed.Space.Unmap(area.Range));
        ExpectPool(before);
    }

    [Fact]
    public void Remap_PrivateMapping_TakesItsReservationAlong()
    {
        HugePagePool before = Bed.ReadPool();
        MappedArea area = Map(MemoryKind.HugetlbPrivate, pages: 2);
        Bed.Store(area.At(0), 7);
        VirtualAddress target = Bed.NextPlace();
        Expect.Ok(Bed.Space.Remap(area.Range, area.Range.Length, RemapOptions.MayMove | RemapOptions.Fixed, target));
        ExpectPool(before.Plus(free: -1, reserved: 1));
        Assert.Equal((7UL, 0UL), (Bed.Load(target), Bed.Load(target + PageSize.Huge)));
        ExpectPool(before.Plus(free: -2, reserved: 0));
        Expect.Ok(Bed.Space.Unmap(area.Range with { Start = target }));
        ExpectPool(before);
    }

    [Theory]
    [InlineData(MemoryKind.HugetlbShared)]
    [InlineData(MemoryKind.HugetlbPrivate)]
    public void Exit_WithMappings_GivesEverythingBack(MemoryKind kind)
    {
        HugePagePool before = Bed.ReadPool();
        MappedArea area = Map(kind, pages: 3);
        Bed.Store(area.At(0));
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        PendingAccess.Store(Bed.Own(Expect.Ok(child.OpenAccess())), area.At(1), 1).AwaitValue();
        area.Backing.Dispose();
        child.Dispose();
        Bed.Space.Dispose();
        ExpectPool(before);
    }

    // The copy of a page of the file is what the reservation of a private mapping is for.
    [Fact]
    public void Store_PrivateMappingOfACachedPage_UsesTheMappingsReservation()
    {
        HugePagePool before = Bed.ReadPool();
        MappedArea area = Map(MemoryKind.HugetlbPrivate, pages: 2);
        Bed.FillCache(area, 0, seed: 1);
        HugePagePool cached = before.Plus(free: -1, reserved: 2);
        ExpectPool(cached);
        Assert.Equal(Pattern.Word(1, 0), Bed.Load(area.At(0)));
        ExpectPool(cached);
        Bed.Store(area.At(0));
        ExpectPool(cached.Plus(free: -1, reserved: -1));
    }

    // A child has no reservations: what it writes comes out of what is left over.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Fork_Store_CopyComesFromWhatIsLeftOver(bool byTheChild)
    {
        MappedArea area = Map(MemoryKind.HugetlbPrivate, pages: 2);
        Bed.Store(area.At(0), 7);
        HugePagePool before = Bed.ReadPool();
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        IMemoryAccess childAccess = Bed.Own(Expect.Ok(child.OpenAccess()));
        ExpectPool(before);
        PendingAccess.Store(byTheChild ? childAccess : Bed.TakeAccessor(), area.At(0), 8).AwaitValue();
        ExpectPool(before.Plus(free: -1, reserved: 0));
        Assert.Equal(byTheChild ? (7UL, 8UL) : (8UL, 7UL), (Bed.Load(area.At(0)), PendingAccess.Load(childAccess, area.At(0)).AwaitValue()));
        PendingAccess.Store(childAccess, area.At(1), 9).AwaitValue();
        ExpectPool(before.Plus(free: -2, reserved: 0));
    }

    [Theory]
    [InlineData(MemoryKind.HugetlbShared)]
    [InlineData(MemoryKind.HugetlbPrivate)]
    public void Map_MoreThanIsLeft_ENOMEM(MemoryKind kind)
    {
        HugePagePool before = Bed.ReadPool();
        IMemoryFile file = Bed.File(MemoryKind.HugetlbShared, pages: 1);
        ulong length = (ulong)(before.Available + 1) * PageSize.Huge;
        MapRequest request = kind.IsShared() ? MapRequest.SharedFile(file, length) : MapRequest.PrivateFile(file, length);
        Expect.Fails(Bed.Space.Map(request), Errno.ENOMEM);
        ExpectPool(before);
        Expect.Ok(Bed.Space.Map(request with { Options = request.Options | MapOptions.NoReserve }));
        ExpectPool(before);
    }

    [Theory]
    [InlineData(MemoryKind.HugetlbShared)]
    [InlineData(MemoryKind.HugetlbPrivate)]
    public void EmptyPool_AccessWithoutReservation_BusErrorUntilThereIsAPage(MemoryKind kind)
    {
        MappedArea area = Map(kind, pages: 1, MapOptions.NoReserve);
        AddressRange rest = ReserveTheRest();
        Bed.StoreFails(area.At(0), AccessFault.BusError);
        Bed.LoadFails(area.At(0), AccessFault.BusError);
        Expect.Fails(Bed.Space.Advise(area.Range, Advice.PopulateWrite), Errno.EFAULT);
        Assert.Equal(0UL, Bed.Pagemap(area, 0).Value);
        Expect.Ok(Bed.Space.Unmap(rest));
        Bed.Store(area.At(0));
    }

    // Linux 6.18 answers EEXIST: it takes the empty entry it has made room for as one that somebody has filled. Documented is ENOMEM.
    [Theory]
    [InlineData(MemoryKind.HugetlbShared)]
    [InlineData(MemoryKind.HugetlbPrivate)]
    public void EmptyPool_CopyWithoutReservation_RefusedWithNothingMapped(MemoryKind kind)
    {
        MappedArea area = Map(kind, pages: 1, MapOptions.NoReserve);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        AddressRange rest = ReserveTheRest();
        FillResult refused = monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Huge, 1));
        Expect.Fails(refused, Engine.Name == "linux" ? Errno.EEXIST : Errno.ENOMEM);
        Assert.Equal(0UL, Bed.Pagemap(area, 0).Value);
        Expect.Ok(Bed.Space.Unmap(rest));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Huge, 1)), PageSize.Huge);
    }

    [Fact]
    public void EmptyPool_Allocate_ENOSPCAndTheSizeStays()
    {
        IMemoryFile file = Bed.File(MemoryKind.HugetlbShared, pages: 1);
        ReserveTheRest();
        Expect.Fails(file.Allocate(0, 2 * PageSize.Huge), Errno.ENOSPC);
        Assert.Equal(PageSize.Huge, Expect.Ok(file.GetStatus()).Size);
    }

    [Fact]
    public void EmptyPool_ReservedPages_AreThere()
    {
        MappedArea area = Map(MemoryKind.HugetlbPrivate, pages: 2);
        ReserveTheRest();
        Bed.Store(area.At(0));
        Expect.Ok(Bed.Space.Advise(area.Page(0), Advice.DontNeed));
        Bed.Store(area.At(0));
        Bed.Store(area.At(1));
    }

    // The child was promised nothing: its copy fails, and the parent's page is untouched.
    [Fact]
    public void EmptyPool_StoreByTheChildOfAFork_BusErrorInTheChild()
    {
        (MappedArea area, IMemoryAccess child) = ForkedWithEmptyPool();
        PendingAccess.Store(child, area.At(0), 8).AwaitFault(AccessFault.BusError);
        Assert.Equal((7UL, 7UL), (Bed.Load(area.At(0)), PendingAccess.Load(child, area.At(0)).AwaitValue()));
    }

    // The parent was promised its page: it is taken from the child, which must not read zeroes in its place.
    [Fact]
    public void EmptyPool_StoreByTheParentOfAFork_TakesThePageFromTheChild()
    {
        (MappedArea area, IMemoryAccess child) = ForkedWithEmptyPool();
        Bed.Store(area.At(0), 8);
        Assert.Equal(8UL, Bed.Load(area.At(0)));
        PendingAccess.Load(child, area.At(0)).AwaitFault(AccessFault.BusError);
        PendingAccess.Store(child, area.At(1), 1).AwaitFault(AccessFault.BusError);
        Bed.Store(area.At(1), 9);
    }

    private (MappedArea Area, IMemoryAccess Child) ForkedWithEmptyPool()
    {
        MappedArea area = Map(MemoryKind.HugetlbPrivate, pages: 2);
        Bed.Store(area.At(0), 7);
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        ReserveTheRest();
        return (area, Bed.Own(Expect.Ok(child.OpenAccess())));
    }

    private MappedArea Map(MemoryKind kind, int pages, MapOptions more = MapOptions.None)
    {
        IMemoryFile file = Bed.File(kind, pages);
        ulong length = (ulong)pages * PageSize.Huge;
        MapRequest request = kind.IsShared() ? MapRequest.SharedFile(file, length) : MapRequest.PrivateFile(file, length);
        return new(kind, Bed.MapAt(Bed.NextPlace(), request with { Options = request.Options | more }), file);
    }

    /// <summary>Leaves nothing of the pool but what is reserved.</summary>
    private AddressRange ReserveTheRest()
    {
        var request = MapRequest.PrivateAnonymous((ulong)Bed.ReadPool().Available * PageSize.Huge);
        AddressRange rest = new(Expect.Ok(Bed.Space.Map(request with { Options = request.Options | MapOptions.HugeTlb })), request.Length);
        Assert.Equal(0, Bed.ReadPool().Available);
        return rest;
    }

    private void ExpectPool(HugePagePool expected)
    {
        // Pages of a process that has just ended are a moment on their way.
        if (!Testbed.TryUntil(() => Bed.ReadPool() == expected))
        {
            Assert.Equal(expected, Bed.ReadPool());
        }
    }
}
