using System.Linq;
using System.Threading;
using Xunit;

namespace Faultline.Conformance;

/// <summary>UFFDIO_MOVE: pages change their address without being copied.</summary>
[Section("4.9")]
public abstract class MoveConformance(EngineHost host) : ConformanceSuite(host)
{
    [Fact]
    public void Move_Pages_ArriveAndTheSourceReadsZero()
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        ulong frame = Bed.Pagemap(source, 1).FrameOrSwap;
        Expect.Filled(monitor.Uffd.Move(target.At(0), source.At(0), target.Range.Length), target.Range.Length);
        Assert.Equal(Enumerable.Range(0, 4).Select(page => Pattern.Word((ulong)page, 0)), Enumerable.Range(0, 4).Select(page => Bed.Load(target.At(page))));
        Assert.Equal(frame, Bed.Pagemap(target, 1).FrameOrSwap);
        Assert.Equal(0UL, Bed.Pagemap(source, 1).Value);
        Bed.AssertZero(source, 1);
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void Move_Waiter_Wakes()
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        PendingAccess load = Bed.StartLoad(target.At(2));
        monitor.ExpectFault(PageFaultFlags.None, target.At(2));
        Expect.Filled(monitor.Uffd.Move(target.At(2), source.At(2), PageSize.Small), PageSize.Small);
        Assert.Equal(Pattern.Word(2, 0), load.AwaitValue());
    }

    [Fact]
    public void Move_RegisteredSource_FaultsThereAgain()
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        monitor.Register(source.Range, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small), PageSize.Small);
        PendingAccess load = Bed.StartLoad(source.At(0));
        monitor.ExpectFault(PageFaultFlags.None, source.At(0));
        Expect.Filled(monitor.Uffd.Zeropage(source.Page(0)), PageSize.Small);
        load.AwaitValue();
    }

    [Fact]
    public void Move_WithinOneMapping_Succeeds()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.WriteBytes(area.At(0), Pattern.Bytes(PageSize.Small, 7));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Move(area.At(3), area.At(0), PageSize.Small), PageSize.Small);
        Bed.AssertPattern(area, 3, seed: 7);
        Assert.Equal(0UL, Bed.Pagemap(area, 0).Value);
    }

    [Fact]
    public void Move_MovedPage_IsWritableWithoutAFault()
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        Expect.Filled(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small), PageSize.Small);
        Assert.Equal(0, Bed.CountStoreFaults(target.At(0)).Minor);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Move_AddressNotMapped_ENOENT(bool ofTheTarget)
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        VirtualAddress nowhere = Bed.NextPlace();
        Expect.Fails(monitor.Uffd.Move(ofTheTarget ? nowhere : target.At(0), ofTheTarget ? source.At(0) : nowhere, PageSize.Small), Errno.ENOENT);
    }

    [Theory]
    [MemberData(nameof(BadRanges.All), MemberType = typeof(BadRanges))]
    public void Move_BadSource_EINVALAndFieldUntouched(BadRange bad)
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        AddressRange range = bad.Of(source.Range);
        Expect.Refused(monitor.Uffd.Move(target.At(0), range.Start, range.Length), Errno.EINVAL);
    }

    [Fact]
    public void Move_TargetNotRegistered_EINVAL()
    {
        (_, MappedArea source, FaultMonitor monitor) = Set();
        MappedArea other = Bed.Map(MemoryKind.Anonymous);
        Expect.Fails(monitor.Uffd.Move(other.At(0), source.At(0), PageSize.Small), Errno.EINVAL);
    }

    [Fact]
    public void Move_TargetOfAnotherContext_EINVAL()
    {
        (MappedArea target, MappedArea source, _) = Set();
        Expect.Fails(Bed.Open().Uffd.Move(target.At(0), source.At(0), PageSize.Small), Errno.EINVAL);
    }

    [Theory]
    [InlineData(3, 0)]
    [InlineData(0, 3)]
    public void Move_PastTheEndOfAMapping_EINVAL(int targetPage, int sourcePage)
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        Expect.Fails(monitor.Uffd.Move(target.At(targetPage), source.At(sourcePage), 2 * PageSize.Small), Errno.EINVAL);
    }

    [Theory]
    [InlineData(MemoryKind.ShmemShared)]
    [InlineData(MemoryKind.ShmemPrivate)]
    [InlineData(MemoryKind.HugetlbShared)]
    [InlineData(MemoryKind.HugetlbPrivate)]
    public void Move_TargetNotAnonymous_EINVAL(MemoryKind kind)
    {
        MappedArea target = Bed.Map(kind, pages: 1);
        MappedArea source = Bed.MapAnonymous((int)(target.PageBytes / PageSize.Small));
        Bed.Store(source.At(0));
        FaultMonitor monitor = Bed.Watch(target, RegisterModes.Missing);
        Expect.Fails(monitor.Uffd.Move(target.At(0), source.At(0), target.PageBytes), Errno.EINVAL);
    }

    [Theory]
    [InlineData(MemoryKind.ShmemShared)]
    [InlineData(MemoryKind.ShmemPrivate)]
    public void Move_SourceNotAnonymous_EINVAL(MemoryKind kind)
    {
        MappedArea source = Bed.Map(kind);
        Bed.Store(source.At(0));
        MappedArea target = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(target, RegisterModes.Missing);
        Expect.Fails(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small), Errno.EINVAL);
    }

    [Theory]
    [InlineData(Protections.Read, Protections.ReadWrite)]
    [InlineData(Protections.ReadWrite, Protections.Read)]
    [InlineData(Protections.Read, Protections.Read)]
    [InlineData(Protections.ReadWrite, Protections.ReadWrite | Protections.Execute)]
    public void Move_RightsDifferOrNotWritable_EINVAL(Protections ofTarget, Protections ofSource)
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        Expect.Ok(Bed.Space.Protect(target.Range, ofTarget));
        Expect.Ok(Bed.Space.Protect(source.Range, ofSource));
        Expect.Fails(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small), Errno.EINVAL);
    }

    [Fact]
    public void Move_OnlyOneSideLocked_EINVAL()
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        Expect.Ok(Bed.Space.Lock(source.Range));
        Expect.Fails(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small), Errno.EINVAL);
        Expect.Ok(Bed.Space.Unlock(source.Range));
        Expect.Filled(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small), PageSize.Small);
    }

    [Fact]
    public void Move_TargetOccupied_EEXISTAndBothKept()
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        Expect.Filled(monitor.Uffd.Copy(target.At(0), Pattern.Bytes(PageSize.Small, 9)), PageSize.Small);
        Expect.Fails(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small), Errno.EEXIST);
        Bed.AssertPattern(target, 0, seed: 9);
        Assert.Equal(Pattern.Word(0, 0), Bed.Load(source.At(0)));
    }

    [Fact]
    public void Move_TargetPoisoned_EEXIST()
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        Expect.Filled(monitor.Uffd.Poison(target.Page(0)), PageSize.Small);
        Expect.Fails(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small), Errno.EEXIST);
    }

    [Fact]
    public void Move_TargetHasAWriteProtectMarker_EEXIST()
    {
        MappedArea target = Bed.Map(MemoryKind.Anonymous);
        MappedArea source = Bed.Map(MemoryKind.Anonymous);
        Bed.Store(source.At(0));
        FaultMonitor monitor = Bed.Watch(target, RegisterModes.Missing | RegisterModes.WriteProtect, UserfaultfdFeatures.WriteProtectUnpopulated);
        Expect.Ok(monitor.Uffd.WriteProtect(target.Range, WriteProtectModes.Protect));
        Expect.Fails(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small), Errno.EEXIST);
    }

    [Fact]
    public void Move_OntoItself_EEXIST()
    {
        (MappedArea target, _, FaultMonitor monitor) = Set();
        Expect.Filled(monitor.Uffd.Copy(target.At(0), Pattern.Bytes(PageSize.Small, 9)), PageSize.Small);
        Expect.Fails(monitor.Uffd.Move(target.At(0), target.At(0), PageSize.Small), Errno.EEXIST);
        Bed.AssertPattern(target, 0, seed: 9);
    }

    [Fact]
    public void Move_SourceHole_ENOENT()
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        Expect.Ok(Bed.Space.Advise(source.Page(1), Advice.DontNeed));
        Expect.Fails(monitor.Uffd.Move(target.At(1), source.At(1), PageSize.Small), Errno.ENOENT);
        Expect.Partial(monitor.Uffd.Move(target.At(0), source.At(0), 3 * PageSize.Small), PageSize.Small);
        Assert.Equal(Pattern.Word(2, 0), Bed.Load(source.At(2)));
    }

    [Fact]
    public void Move_SourceHoleAllowed_CountedAndTheTargetStaysMissing()
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        Expect.Ok(Bed.Space.Advise(source.Page(1), Advice.DontNeed));
        Expect.Filled(monitor.Uffd.Move(target.At(0), source.At(0), 3 * PageSize.Small, MoveModes.AllowSourceHoles), 3 * PageSize.Small);
        Assert.Equal([true, false, true, false], Enumerable.Range(0, 4).Select(page => Bed.Pagemap(target, page).IsPresent));
        PendingAccess load = Bed.StartLoad(target.At(1));
        monitor.ExpectFault(PageFaultFlags.None, target.At(1));
        Expect.Filled(monitor.Uffd.Zeropage(target.Page(1)), PageSize.Small);
        load.AwaitValue();
    }

    [Theory]
    [InlineData(MoveModes.None)]
    [InlineData(MoveModes.AllowSourceHoles)]
    public void Move_SourceGuarded_EFAULT(MoveModes modes)
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        Expect.Ok(Bed.Space.Advise(source.Page(0), Advice.GuardInstall));
        Expect.Fails(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small, modes), Errno.EFAULT);
    }

    [Theory]
    [InlineData(MoveModes.None)]
    [InlineData(MoveModes.AllowSourceHoles)]
    public void Move_SourcePoisoned_EFAULT(MoveModes modes)
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        Expect.Ok(Bed.Space.Advise(source.Page(0), Advice.DontNeed));
        monitor.Register(source.Range, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Poison(source.Page(0)), PageSize.Small);
        Expect.Fails(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small, modes), Errno.EFAULT);
    }

    [Fact]
    public void Move_SourceHasAWriteProtectMarker_EFAULT()
    {
        MappedArea target = Bed.Map(MemoryKind.Anonymous);
        MappedArea source = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Open(UserfaultfdFeatures.WriteProtectUnpopulated);
        monitor.Register(target.Range, RegisterModes.Missing);
        monitor.Register(source.Range, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(source.Range, WriteProtectModes.Protect));
        Expect.Fails(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small), Errno.EFAULT);
    }

    // EBUSY as long as the page is shared by a fork, also after the child is gone; a write makes it exclusive again.
    [Fact]
    [Regression(33)]
    public void Move_SourceSharedByFork_EBUSYUntilWrittenAgain()
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        Expect.Ok(Bed.Space.Fork()).Dispose();
        Expect.Fails(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small), Errno.EBUSY);
        Assert.Equal(Pattern.Word(0, 0), Bed.Load(source.At(0)));
        Bed.Store(source.At(0), 42);
        Expect.Filled(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small), PageSize.Small);
        Assert.Equal(42UL, Bed.Load(target.At(0)));
    }

    [Fact]
    [Section("10")]
    public void Move_SourceNotForked_NoEBUSY()
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        Expect.Ok(Bed.Space.Advise(source.Range, Advice.DontFork));
        Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        Expect.Filled(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small), PageSize.Small);
    }

    [Fact]
    [Regression(32)]
    public void Move_ZeroPage_TargetHasTheZeroPageAndTheSourceNothing()
    {
        MappedArea target = Bed.Map(MemoryKind.Anonymous);
        MappedArea source = Bed.Map(MemoryKind.Anonymous);
        Assert.Equal(0UL, Bed.Load(source.At(0)));
        FaultMonitor monitor = Bed.Watch(target, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small), PageSize.Small);
        Assert.True(Bed.Pagemap(target, 0).IsPresent);
        Assert.Equal(0UL, Bed.Vma(target.Range).Resident);
        Assert.Equal(0UL, Bed.Pagemap(source, 0).Value);
    }

    [Fact]
    [Regression(39)]
    public void Move_SwappedPage_TheEntryMovesWithoutSwapIn()
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        Bed.SwapOut(source.Page(0));
        PagemapEntry entry = Bed.Pagemap(source, 0);
        Expect.Filled(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small), PageSize.Small);
        Assert.Equal((true, entry.FrameOrSwap), (Bed.Pagemap(target, 0).IsSwap, Bed.Pagemap(target, 0).FrameOrSwap));
        Assert.Equal(0UL, Bed.Pagemap(source, 0).Value);
        Assert.Equal(Pattern.Word(0, 0), Bed.Load(target.At(0)));
        monitor.ExpectNothingQueued();
    }

    // 8.3: the bit of a present page is dropped, that of a swapped page travels along.
    [Theory]
    [Section("8.3")]
    [InlineData(false)]
    [InlineData(true)]
    public void Move_ProtectedSource_BitDroppedIfPresentKeptIfSwapped(bool swapped)
    {
        (MappedArea target, MappedArea source, FaultMonitor monitor) = Set();
        monitor.Register(source.Range, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(source.Range, WriteProtectModes.Protect));
        if (swapped)
        {
            Bed.SwapOut(source.Page(0));
        }

        Expect.Filled(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small), PageSize.Small);
        Assert.Equal(swapped, Bed.Pagemap(target, 0).IsUserfaultfdWriteProtected);
        Bed.Store(target.At(0), 5);
        monitor.ExpectNothingQueued();
    }

    // The kernel may answer EEXIST after a move that was made (see docs/divergences.md); either way no page is lost or doubled.
    [Fact]
    [Regression(48)]
    public void Move_SourceTouchedMeanwhile_NoPageIsLost()
    {
        MappedArea target = Bed.MapAnonymous(pages: 1);
        MappedArea source = Bed.MapAnonymous(pages: 1);
        FaultMonitor monitor = Bed.Watch(target, RegisterModes.Missing);
        bool stop = false;
        IMemoryAccess reader = Bed.Own(Expect.Ok(Bed.Space.OpenAccess()));
        PendingWork<bool> touching = Testbed.StartCall("loads of the source", () =>
        {
            bool ok = true;
            while (!Volatile.Read(ref stop))
            {
                ok &= reader.Load(source.At(0), out _).IsOk;
            }

            return ok;
        });
        for (ulong round = 1; round <= 500; round++)
        {
            Bed.Store(source.At(0), round);
            FillResult result = monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small);
            Assert.True(result.IsOk || result.Errno == Errno.EEXIST, $"MOVE answered {result}.");
            Assert.True(Bed.Pagemap(target, 0).IsPresent);
            Assert.Equal(round, Bed.Load(target.At(0)));
            Expect.Ok(Bed.Space.Advise(target.Range, Advice.DontNeed));
        }

        Volatile.Write(ref stop, true);
        Assert.True(touching.Await());
    }

    private (MappedArea Target, MappedArea Source, FaultMonitor Monitor) Set()
    {
        MappedArea target = Bed.Map(MemoryKind.Anonymous);
        MappedArea source = Bed.Map(MemoryKind.Anonymous);
        for (int page = 0; page < source.PageTotal; page++)
        {
            Bed.WriteBytes(source.At(page), Pattern.Bytes(PageSize.Small, (ulong)page));
        }

        return (target, source, Bed.Watch(target, RegisterModes.Missing));
    }
}
