using Xunit;

namespace Faultline.Conformance;

/// <summary>Reads of <c>/proc/pid/mem</c>: what is there, what the kernel brings by itself, and EIO where a userfaultfd would have to be asked.</summary>
public abstract class PeekConformance(EngineHost host) : ConformanceSuite(host)
{
    [Theory]
    [MemberData(nameof(MemoryKinds.Small), MemberType = typeof(MemoryKinds))]
    public void Peek_MissingPageUnderUserfaultfd_FailsAndAsksNobody(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Small, 7)), PageSize.Small);
        using IMemoryAccess peek = Expect.Ok(Bed.Space.OpenAccess(AccessMode.Peek));
        byte[] bytes = new byte[PageSize.Small];
        Assert.Equal(new AccessResult(AccessFault.None, default, PageSize.Small), peek.Read(area.At(0), bytes));
        Assert.Equal(Pattern.Bytes(PageSize.Small, 7), bytes);
        Assert.Equal(new AccessResult(AccessFault.BadAddress, default, 0), peek.Read(area.At(1), bytes));
        Assert.Equal(AccessFault.BadAddress, peek.Load(area.At(1), out _).Fault);

        // Over the edge: as far as it goes.
        Assert.Equal(new AccessResult(AccessFault.BadAddress, default, 96), peek.Read(area.At(0, PageSize.Small - 96), bytes));
        Assert.False(Bed.Pagemap(area, 1).IsPresent);
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Shmem), MemberType = typeof(MemoryKinds))]
    public void Peek_CachedPageUnderMinorFaults_FailsAndAsksNobody(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        using IMemoryAccess peek = Expect.Ok(Bed.Space.OpenAccess(AccessMode.Peek));
        Assert.Equal(AccessFault.BadAddress, peek.Load(area.At(2), out _).Fault);
        Expect.Filled(monitor.Uffd.Continue(area.Page(2)), PageSize.Small);
        Assert.Equal(AccessFault.None, peek.Load(area.At(2), out _).Fault);
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Small), MemberType = typeof(MemoryKinds))]
    public void Peek_MissingPageOfTheKernel_IsBroughtAndReadsAsZero(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind);
        using IMemoryAccess peek = Expect.Ok(Bed.Space.OpenAccess(AccessMode.Peek));
        Assert.Equal(AccessFault.None, peek.Load(area.At(1), out ulong word).Fault);
        Assert.Equal(0UL, word);
    }

    [Fact]
    public void Peek_ProtectedPage_IsRead_AndStoresFail()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Store(area.At(1), 42);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        using IMemoryAccess peek = Expect.Ok(Bed.Space.OpenAccess(AccessMode.Peek));
        Assert.Equal(AccessFault.None, peek.Load(area.At(1), out ulong word).Fault);
        Assert.Equal(42UL, word);
        Assert.Equal(AccessFault.BadAddress, peek.Store(area.At(1), 43).Fault);
        Assert.Equal(AccessFault.BadAddress, peek.Write(area.At(1), new byte[8]).Fault);
        Assert.Equal(42UL, Bed.Load(area.At(1)));
        monitor.ExpectNothingQueued();
    }
}
