using System;
using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>UFFDIO_REGISTER: its checks in order, and which memory accepts which modes.</summary>
[Section("2.1")]
public abstract class RegisterConformance(EngineHost host) : ConformanceSuite(host)
{
    /// <summary>Every kind with every combination of modes.</summary>
    public static TheoryData<MemoryKind, RegisterModes> KindsAndModes
    {
        get
        {
            TheoryData<MemoryKind, RegisterModes> rows = [];
            foreach (MemoryKind kind in Enum.GetValues<MemoryKind>())
            {
                for (ulong modes = 1; modes <= 7; modes++)
                {
                    rows.Add(kind, (RegisterModes)modes);
                }
            }

            return rows;
        }
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(8UL)]
    [InlineData(9UL)]
    [InlineData(1UL << 32)]
    [InlineData(1UL << 63)]
    public void Register_NoOrUnknownMode_EINVAL(ulong modes)
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared);
        Expect.Fails(Bed.Open().Uffd.Register(area.Range, (RegisterModes)modes), Errno.EINVAL);
        Assert.Equal(RegisterModes.None, Bed.Vma(area.Range).RegisteredModes);
    }

    [Theory]
    [MemberData(nameof(BadRanges.All), MemberType = typeof(BadRanges))]
    public void Register_BadRange_EINVAL(BadRange bad)
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Expect.Fails(Bed.Open().Uffd.Register(bad.Of(area.Range), RegisterModes.Missing), Errno.EINVAL);
        Assert.Equal(RegisterModes.None, Bed.Vma(area.Range).RegisteredModes);
    }

    [Fact]
    public void Register_NothingMapped_EINVAL() =>
        Expect.Fails(Bed.Open().Uffd.Register(new(Bed.NextPlace(), PageSize.Small), RegisterModes.Missing), Errno.EINVAL);

    // 2.1.4: a hole anywhere is fine as long as one mapping intersects.
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(4)]
    public void Register_HoleInTheRange_SucceedsForTheRest(int hole)
    {
        MappedArea area = Bed.MapAnonymous(pages: 5);
        Expect.Ok(Bed.Space.Unmap(area.Page(hole)));
        Bed.Open().Register(area.Range, RegisterModes.Missing);
        Assert.All(Bed.Vmas(area.Range), vma => Assert.Equal(RegisterModes.Missing, vma.RegisteredModes));
        Assert.Equal(4 * PageSize.Small, (ulong)Bed.Vmas(area.Range).Sum(vma => (long)vma.Range.Length));
    }

    [Fact]
    [Section("7")]
    public void Register_HugetlbFirstAndStartNotHugeAligned_EINVAL()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 2);
        Expect.Fails(Bed.Open().Uffd.Register(area.Range.Slice(PageSize.Small, area.Range.Length - PageSize.Small), RegisterModes.Missing), Errno.EINVAL);
    }

    [Fact]
    [Section("7")]
    public void Register_EndInsideHugetlbPage_EINVAL()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 2);
        Expect.Fails(Bed.Open().Uffd.Register(area.Range.Slice(0, area.PageBytes + PageSize.Small), RegisterModes.Missing), Errno.EINVAL);
        Assert.Equal(RegisterModes.None, Bed.Vma(area.Range).RegisteredModes);
    }

    // 2.2 and 2.3: which kind accepts which modes, and the calls named in the answer.
    [Theory]
    [Section("2.2")]
    [Section("2.3")]
    [MemberData(nameof(KindsAndModes))]
    public void Register_KindAndModes_AnswersAsTabulated(MemoryKind kind, RegisterModes modes)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Open();
        if (kind == MemoryKind.Anonymous && modes.HasFlag(RegisterModes.Minor))
        {
            Expect.Fails(monitor.Uffd.Register(area.Range, modes), Errno.EINVAL);
            Assert.Equal(RegisterModes.None, Bed.Vma(area.Range).RegisteredModes);
            return;
        }

        Assert.Equal(CallsOf(modes, kind.IsHugetlb()), monitor.Register(area.Range, modes));
        Assert.Equal(modes, Bed.Vma(area.Range).RegisteredModes);
        Expect.Ok(monitor.Uffd.Unregister(area.Range));
        Assert.Equal(RegisterModes.None, Bed.Vma(area.Range).RegisteredModes);
    }

    [Fact]
    [Section("2.3")]
    public void Register_SomeHugetlbInTheRange_LeavesOutZeropageAndMove()
    {
        VirtualAddress place = Bed.NextPlace();
        IMemoryFile file = Bed.File(MemoryKind.HugetlbShared, pages: 1);
        Bed.MapAt(place, MapRequest.SharedFile(file, PageSize.Huge));
        Bed.MapAt(place + PageSize.Huge, MapRequest.PrivateAnonymous(PageSize.Small));
        UserfaultfdIoctls calls = Bed.Open().Register(new(place, PageSize.Huge + PageSize.Small), RegisterModes.Missing);
        Assert.Equal((UserfaultfdIoctls)0x10C, calls);
    }

    // 2.2: the rights of the mapping never matter, only that it could be made writable.
    [Theory]
    [Section("2.2")]
    [InlineData(MemoryKind.Anonymous, Protections.None)]
    [InlineData(MemoryKind.Anonymous, Protections.Read)]
    [InlineData(MemoryKind.Anonymous, Protections.Read | Protections.Execute)]
    [InlineData(MemoryKind.ShmemShared, Protections.None)]
    [InlineData(MemoryKind.ShmemShared, Protections.Read)]
    [InlineData(MemoryKind.ShmemPrivate, Protections.None)]
    [InlineData(MemoryKind.ShmemPrivate, Protections.Read)]
    [InlineData(MemoryKind.HugetlbShared, Protections.Read)]
    [InlineData(MemoryKind.HugetlbPrivate, Protections.None)]
    public void Register_AnyProtection_Succeeds(MemoryKind kind, Protections protection)
    {
        MappedArea area = Bed.Map(kind, pages: 1, protection);
        Bed.Open().Register(area.Range, RegisterModes.Missing | RegisterModes.WriteProtect);
    }

    [Theory]
    [Section("2.2")]
    [InlineData(RegisterModes.Missing)]
    [InlineData(RegisterModes.WriteProtect)]
    [InlineData(RegisterModes.Minor)]
    [Regression(7)]
    public void Register_SharedMappingOfAReadOnlyHandle_EPERM(RegisterModes modes)
    {
        IMemoryFile file = Bed.File(MemoryKind.ShmemShared);
        IMemoryFile readOnly = Bed.Own(Expect.Ok(file.Reopen(FileAccessRights.Read)));
        MappedArea area = Bed.MapFile(MemoryKind.ShmemShared, readOnly, pages: 4, Protections.Read);
        Expect.Fails(Bed.Open().Uffd.Register(area.Range, modes), Errno.EPERM);
    }

    [Fact]
    [Section("2.2")]
    public void Register_PrivateMappingOfAReadOnlyHandle_Succeeds()
    {
        IMemoryFile file = Bed.File(MemoryKind.ShmemShared);
        IMemoryFile readOnly = Bed.Own(Expect.Ok(file.Reopen(FileAccessRights.Read)));
        MappedArea area = Bed.MapFile(MemoryKind.ShmemPrivate, readOnly, pages: 4);
        Bed.Open().Register(area.Range, RegisterModes.Missing | RegisterModes.Minor);
    }

    [Theory]
    [Section("2.2")]
    [InlineData(FileSeals.Write)]
    [InlineData(FileSeals.FutureWrite)]
    [Regression(7)]
    public void Register_SharedMappingOfASealedFile_EPERM(FileSeals seals)
    {
        IMemoryFile file = Bed.File(MemoryKind.ShmemShared);
        Expect.Ok(file.AddSeals(seals));
        MappedArea area = Bed.MapFile(MemoryKind.ShmemShared, file, pages: 4, Protections.Read);
        Expect.Fails(Bed.Open().Uffd.Register(area.Range, RegisterModes.Missing), Errno.EPERM);
    }

    [Theory]
    [Section("2.2")]
    [InlineData(FileSeals.Write)]
    [InlineData(FileSeals.FutureWrite)]
    public void Register_PrivateMappingOfASealedFile_Succeeds(FileSeals seals)
    {
        IMemoryFile file = Bed.File(MemoryKind.ShmemShared);
        Expect.Ok(file.AddSeals(seals));
        MappedArea area = Bed.MapFile(MemoryKind.ShmemPrivate, file, pages: 4);
        Bed.Open().Register(area.Range, RegisterModes.Missing);
    }

    [Fact]
    public void Register_AnothersMapping_EBUSYAndNothingChanged()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Watch(area, RegisterModes.Missing);
        Expect.Fails(Bed.Open().Uffd.Register(area.Range, RegisterModes.WriteProtect), Errno.EBUSY);
        Assert.Equal(RegisterModes.Missing, Bed.Vma(area.Range).RegisteredModes);
    }

    // 2.1.6: everything is validated before anything is changed.
    [Fact]
    public void Register_LaterMappingIsAnothers_EBUSYAndEarlierUnchanged()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Open().Register(area.Page(3), RegisterModes.Missing);
        Expect.Fails(Bed.Open().Uffd.Register(area.Range, RegisterModes.Missing), Errno.EBUSY);
        Assert.Equal([RegisterModes.None, RegisterModes.Missing], Bed.Vmas(area.Range).Select(vma => vma.RegisteredModes));
    }

    [Fact]
    public void Register_LaterMappingRefusesTheMode_EINVALAndEarlierUnchanged()
    {
        (AddressRange both, AddressRange first) = Adjacent(MemoryKind.ShmemShared, MemoryKind.Anonymous);
        Expect.Fails(Bed.Open().Uffd.Register(both, RegisterModes.Minor), Errno.EINVAL);
        Assert.Equal(RegisterModes.None, Bed.Vma(first).RegisteredModes);
    }

    [Fact]
    public void Register_EarlierMappingRefusesTheMode_EINVALAndLaterUnchanged()
    {
        (AddressRange both, _) = Adjacent(MemoryKind.Anonymous, MemoryKind.ShmemShared);
        Expect.Fails(Bed.Open().Uffd.Register(both, RegisterModes.Minor), Errno.EINVAL);
        Assert.All(Bed.Vmas(both), vma => Assert.Equal(RegisterModes.None, vma.RegisteredModes));
    }

    [Fact]
    public void Register_MixedKindsThatAllAccept_Succeeds()
    {
        (AddressRange both, _) = Adjacent(MemoryKind.Anonymous, MemoryKind.ShmemShared);
        Bed.Open().Register(both, RegisterModes.Missing | RegisterModes.WriteProtect);
        Assert.All(Bed.Vmas(both), vma => Assert.Equal(RegisterModes.Missing | RegisterModes.WriteProtect, vma.RegisteredModes));
    }

    // 2.1.6: mappings are judged in order of address, each by all its checks.
    [Fact]
    public void Register_NeverWritableBeforeRefusedKind_EPERM()
    {
        VirtualAddress place = Bed.NextPlace();
        MapNeverWritable(place);
        Bed.MapAt(place + PageSize.Small, MapRequest.PrivateAnonymous(PageSize.Small));
        Expect.Fails(Bed.Open().Uffd.Register(new(place, 2 * PageSize.Small), RegisterModes.Minor), Errno.EPERM);
    }

    [Fact]
    public void Register_RefusedKindBeforeNeverWritable_EINVAL()
    {
        VirtualAddress place = Bed.NextPlace();
        Bed.MapAt(place, MapRequest.PrivateAnonymous(PageSize.Small));
        MapNeverWritable(place + PageSize.Small);
        Expect.Fails(Bed.Open().Uffd.Register(new(place, 2 * PageSize.Small), RegisterModes.Minor), Errno.EINVAL);
    }

    // 2.1.6, a before d: the kind is judged before the owner.
    [Fact]
    public void Register_RefusedKindOfAnother_EINVAL()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Watch(area, RegisterModes.Missing);
        Expect.Fails(Bed.Open().Uffd.Register(area.Range, RegisterModes.Minor), Errno.EINVAL);
    }

    // 2.1.6, c before d: the end of a hugetlb range is judged before the owner.
    [Fact]
    public void Register_UnalignedEndInAnothersHugetlb_EINVAL()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 2);
        Bed.Watch(area, RegisterModes.Missing);
        Expect.Fails(Bed.Open().Uffd.Register(area.Range.Slice(0, area.PageBytes + PageSize.Small), RegisterModes.Missing), Errno.EINVAL);
    }

    private static UserfaultfdIoctls CallsOf(RegisterModes modes, bool hugetlb)
    {
        UserfaultfdIoctls calls = UserfaultfdIoctls.Wake | UserfaultfdIoctls.Copy | UserfaultfdIoctls.Poison;
        calls |= hugetlb ? UserfaultfdIoctls.None : UserfaultfdIoctls.Zeropage | UserfaultfdIoctls.Move;
        calls |= modes.HasFlag(RegisterModes.WriteProtect) ? UserfaultfdIoctls.WriteProtect : UserfaultfdIoctls.None;
        return calls | (modes.HasFlag(RegisterModes.Minor) ? UserfaultfdIoctls.Continue : UserfaultfdIoctls.None);
    }

    private (AddressRange Both, AddressRange First) Adjacent(MemoryKind first, MemoryKind second)
    {
        VirtualAddress place = Bed.NextPlace();
        foreach (MemoryKind kind in (MemoryKind[])[first, second])
        {
            MapRequest request = kind == MemoryKind.Anonymous
                ? MapRequest.PrivateAnonymous(PageSize.Small)
                : MapRequest.SharedFile(Bed.File(kind, pages: 1), PageSize.Small);
            Bed.MapAt(kind == first ? place : place + PageSize.Small, request);
        }

        return (new(place, 2 * PageSize.Small), new(place, PageSize.Small));
    }

    private void MapNeverWritable(VirtualAddress place)
    {
        IMemoryFile readOnly = Bed.Own(Expect.Ok(Bed.File(MemoryKind.ShmemShared).Reopen(FileAccessRights.Read)));
        Bed.MapAt(place, MapRequest.SharedFile(readOnly, PageSize.Small) with { Protection = Protections.Read });
    }
}
