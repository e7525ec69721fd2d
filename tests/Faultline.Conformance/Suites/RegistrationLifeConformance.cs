using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>Registering again, and how registrations split and merge mappings.</summary>
[Section("2.4")]
public abstract class RegistrationLifeConformance(EngineHost host) : ConformanceSuite(host)
{
    private const RegisterModes All = RegisterModes.Missing | RegisterModes.WriteProtect | RegisterModes.Minor;

    // 2.4: modes are replaced, unless all that are asked for are there already.
    [Theory]
    [InlineData(RegisterModes.Missing, RegisterModes.Missing, RegisterModes.Missing)]
    [InlineData(RegisterModes.Missing, RegisterModes.WriteProtect, RegisterModes.WriteProtect)]
    [InlineData(RegisterModes.Missing, RegisterModes.Minor, RegisterModes.Minor)]
    [InlineData(RegisterModes.Missing, RegisterModes.Missing | RegisterModes.Minor, RegisterModes.Missing | RegisterModes.Minor)]
    [InlineData(RegisterModes.Missing | RegisterModes.WriteProtect, RegisterModes.Missing, RegisterModes.Missing | RegisterModes.WriteProtect)]
    [InlineData(RegisterModes.Missing | RegisterModes.WriteProtect, RegisterModes.WriteProtect, RegisterModes.Missing | RegisterModes.WriteProtect)]
    [InlineData(RegisterModes.Missing | RegisterModes.WriteProtect, RegisterModes.Minor, RegisterModes.Minor)]
    [InlineData(RegisterModes.Missing | RegisterModes.WriteProtect, RegisterModes.Missing | RegisterModes.Minor, RegisterModes.Missing | RegisterModes.Minor)]
    [InlineData(All, RegisterModes.Minor, All)]
    public void RegisterAgain_SameContext_ReplacesUnlessAllThere(RegisterModes first, RegisterModes second, RegisterModes expected)
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared);
        FaultMonitor monitor = Bed.Watch(area, first);
        monitor.Register(area.Range, second);
        Assert.Equal(expected, Bed.Vma(area.Range).RegisteredModes);
    }

    // 2.4: the write-protect bit left behind is visible and without effect.
    [Theory]
    [InlineData(MemoryKind.Anonymous)]
    [InlineData(MemoryKind.ShmemShared)]
    public void RegisterAgain_WithoutWriteProtect_LeavesAnInertBit(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind);
        Bed.Store(area.At(0));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        monitor.Register(area.Range, RegisterModes.Missing);
        Assert.True(Bed.IsProtected(area, 0));
        Assert.Equal(1, Bed.CountStoreFaults(area.At(0)).Minor);
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [Section("2.5")]
    [InlineData(MemoryKind.Anonymous)]
    [InlineData(MemoryKind.ShmemShared)]
    [InlineData(MemoryKind.ShmemPrivate)]
    [Regression(30)]
    public void Register_TheMiddle_SplitsInThreeAndUnregisterMergesBack(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 3);
        FaultMonitor monitor = Bed.Open();
        monitor.Register(area.Page(1), RegisterModes.Missing);
        Assert.Equal(
            [(area.Page(0), RegisterModes.None), (area.Page(1), RegisterModes.Missing), (area.Page(2), RegisterModes.None)],
            Bed.Vmas(area.Range).Select(vma => (vma.Range, vma.RegisteredModes)));
        Expect.Ok(monitor.Uffd.Unregister(area.Page(1)));
        Assert.Equal(area.Range, Bed.Vma(area.Range).Range);
    }

    [Theory]
    [Section("2.5")]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Register_TheMiddleOfHugetlb_SplitsInThreeForGood(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 3);
        FaultMonitor monitor = Bed.Open();
        monitor.Register(area.Page(1), RegisterModes.Missing);
        Expect.Ok(monitor.Uffd.Unregister(area.Page(1)));
        Assert.Equal([area.Page(0), area.Page(1), area.Page(2)], Bed.Vmas(area.Range).Select(vma => vma.Range));
    }

    [Fact]
    [Section("2.5")]
    public void Register_NeighboursOneByOne_Merge()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Open();
        for (int page = 0; page < area.PageTotal; page++)
        {
            monitor.Register(area.Page(page), RegisterModes.Missing);
        }

        Assert.Equal((area.Range, RegisterModes.Missing), (Bed.Vma(area.Range).Range, Bed.Vma(area.Range).RegisteredModes));
    }

    [Fact]
    [Section("2.5")]
    public void Register_NeighboursWithOtherModes_StayApart()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Open();
        monitor.Register(area.Pages(0, 2), RegisterModes.Missing);
        monitor.Register(area.Pages(2, 2), RegisterModes.Missing | RegisterModes.WriteProtect);
        Assert.Equal([area.Pages(0, 2), area.Pages(2, 2)], Bed.Vmas(area.Range).Select(vma => vma.Range));
    }

    [Fact]
    [Section("2.5")]
    public void Register_NeighboursWithOtherContexts_StayApart()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Open().Register(area.Pages(0, 2), RegisterModes.Missing);
        Bed.Open().Register(area.Pages(2, 2), RegisterModes.Missing);
        Assert.Equal([area.Pages(0, 2), area.Pages(2, 2)], Bed.Vmas(area.Range).Select(vma => vma.Range));
    }

    [Fact]
    [Section("2.5")]
    [Regression(30)]
    public void Unregister_TheMiddle_SplitsInThreeAndRegisterMergesBack()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous, pages: 3);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Ok(monitor.Uffd.Unregister(area.Page(1)));
        Assert.Equal([RegisterModes.Missing, RegisterModes.None, RegisterModes.Missing], Bed.Vmas(area.Range).Select(vma => vma.RegisteredModes));
        monitor.Register(area.Page(1), RegisterModes.Missing);
        Assert.Equal(area.Range, Bed.Vma(area.Range).Range);
    }

    [Fact]
    [Section("2.5")]
    public void Map_NextToARegisteredArea_DoesNotMergeIntoIt()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Watch(area, RegisterModes.Missing);
        AddressRange neighbour = Bed.MapAt(area.Range.End, MapRequest.PrivateAnonymous(PageSize.Small));
        Assert.Equal((neighbour, RegisterModes.None), (Bed.Vma(neighbour).Range, Bed.Vma(neighbour).RegisteredModes));
        Assert.Equal(area.Range, Bed.Vma(area.Range).Range);
    }

    [Fact]
    [Section("2.5")]
    [Section("10")]
    public void Remap_GrownInPlace_StaysRegisteredAndFaultsThere()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Assert.Equal(area.Range.Start, Expect.Ok(Bed.Space.Remap(area.Range, 2 * area.Range.Length, RemapOptions.None)));
        AddressRange grown = new(area.Range.Start, 2 * area.Range.Length);
        Assert.Equal((grown, RegisterModes.Missing), (Bed.Vma(grown).Range, Bed.Vma(grown).RegisteredModes));
        PendingAccess load = Bed.StartLoad(area.Range.End);
        monitor.ExpectFault(PageFaultFlags.None, area.Range.End);
        Expect.Filled(monitor.Uffd.Zeropage(new(area.Range.End, PageSize.Small)), PageSize.Small);
        load.AwaitValue();
    }
}
