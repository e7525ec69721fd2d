using System;
using System.Buffers.Binary;
using Xunit;

namespace Faultline.Conformance;

/// <summary>
/// The table of the install step, cell by cell: five cases, in writable and read-only mappings, with and without the write-protect
/// flag; seen through the pagemap, the resident counters, smaps, fault counts, the file's blocks, and the first store afterwards.
/// </summary>
/// <remarks>
/// The cached pages of cases 3 and 4 are made by loads through an alias, so that their own dirty flag is clear: what smaps
/// calls dirty afterwards is the entry's bit.
/// </remarks>
[Section("5.2")]
public abstract class InstallCasesConformance(EngineHost host) : ConformanceSuite(host)
{
    private const PageFaultFlags WriteProtected = PageFaultFlags.Write | PageFaultFlags.WriteProtect;

    /// <summary>All twenty cells: case, writable, write-protect flag.</summary>
    public static TheoryData<InstallCase, bool, bool> Cells => CellsOf(Enum.GetValues<InstallCase>());

    /// <summary>The cells of cases 3 to 5, whose page belongs to the file.</summary>
    public static TheoryData<InstallCase, bool, bool> CellsOfTheCache =>
        CellsOf([InstallCase.PrivateContinue, InstallCase.SharedContinue, InstallCase.SharedCopy]);

    /// <summary>The five cases, with and without the write-protect flag.</summary>
    public static TheoryData<InstallCase, bool> CasesAndProtection
    {
        get
        {
            TheoryData<InstallCase, bool> rows = [];
            foreach (InstallCase which in Enum.GetValues<InstallCase>())
            {
                rows.Add(which, p2: false);
                rows.Add(which, p2: true);
            }

            return rows;
        }
    }

    /// <summary>The five cases.</summary>
    public static TheoryData<InstallCase> Cases => [.. Enum.GetValues<InstallCase>()];

    // Present, exclusively mapped, of the file exactly in cases 3 to 5, and protected exactly if asked, whatever the mapping allows (R6).
    [Theory]
    [MemberData(nameof(Cells))]
    public void Install_EachCell_PagemapBits(InstallCase which, bool writable, bool protect)
    {
        Scene scene = Set(which, writable, protect);
        Expect.Filled(scene.Install(), PageSize.Small);
        PagemapEntry entry = Bed.Pagemap(scene.Area, 0);
        Assert.Equal(
            (true, false, scene.InCache, protect, true, false),
            (entry.IsPresent, entry.IsSwap, entry.IsFile, entry.IsUserfaultfdWriteProtected, entry.IsExclusive, entry.IsGuard));
        Assert.Equal(0UL, Bed.Pagemap(scene.Area, 1).Value);
    }

    // R9, R10, D3, D4: anonymous in cases 1 and 2, shmem in cases 3 to 5, never an ordinary file.
    [Theory]
    [MemberData(nameof(Cells))]
    public void Install_EachCell_CountedAsTheRightKind(InstallCase which, bool writable, bool protect)
    {
        Scene scene = Set(which, writable, protect);
        ResidentCounters before = Counters();
        Expect.Filled(scene.Install(), PageSize.Small);
        ResidentCounters after = Counters();
        Assert.Equal(
            (scene.InCache ? 0 : PageSize.Small, 0UL, scene.InCache ? PageSize.Small : 0, 0UL),
            (after.Anonymous - before.Anonymous, after.File - before.File, after.Shmem - before.Shmem, after.Swap - before.Swap));
        VmaInfo vma = Bed.Vma(scene.Area.Range);
        Assert.Equal((PageSize.Small, scene.InCache ? 0 : PageSize.Small), (vma.Resident, vma.Anonymous));
        Expect.Ok(Bed.Space.Unmap(scene.Area.Range));
        Assert.Equal(before, Counters());
    }

    // R5, D2, D9: the entry is dirty in every cell.
    [Theory]
    [MemberData(nameof(Cells))]
    public void Install_EachCell_Dirty(InstallCase which, bool writable, bool protect)
    {
        Scene scene = Set(which, writable, protect);
        Expect.Filled(scene.Install(), PageSize.Small);
        VmaInfo vma = Bed.Vma(scene.Area.Range);
        Assert.Equal((PageSize.Small, 0UL, 0UL, 0UL), (vma.PrivateDirty, vma.PrivateClean, vma.SharedDirty, vma.SharedClean));
    }

    // R7, D5, D13: the dirty bit is the entry's; the page's own flag stays clear, so that an alias that only read sees a clean page.
    [Theory]
    [MemberData(nameof(CellsOfTheCache))]
    public void Install_EachCellOfTheCache_PageItselfStaysClean(InstallCase which, bool writable, bool protect)
    {
        Scene scene = Set(which, writable, protect);
        Expect.Filled(scene.Install(), PageSize.Small);
        MappedArea alias = Bed.Alias(scene.Area);
        Assert.Equal(scene.Word, Bed.Load(alias.At(0, 8)));
        VmaInfo vma = Bed.Vma(alias.Range);
        Assert.Equal((PageSize.Small, 0UL), (vma.SharedClean, vma.SharedDirty + vma.PrivateDirty));
        Assert.Equal(PageSize.Small, Bed.Vma(scene.Area.Range).SharedDirty);
    }

    // R1, R16: only case 5 changes the file, by one page.
    [Theory]
    [MemberData(nameof(Cells))]
    public void Install_EachCell_FileBlocks(InstallCase which, bool writable, bool protect)
    {
        Scene scene = Set(which, writable, protect);
        ulong before = scene.Blocks();
        Expect.Filled(scene.Install(), PageSize.Small);
        Assert.Equal(which == InstallCase.SharedCopy ? before + 8 : before, scene.Blocks());
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Install_EachCell_ContentsAreThere(InstallCase which, bool writable, bool protect)
    {
        Scene scene = Set(which, writable, protect);
        Expect.Filled(scene.Install(), PageSize.Small);
        Assert.Equal(0, Bed.CountLoadFaults(scene.Area.At(0)).Minor);
        Assert.Equal(scene.Word, Bed.Load(scene.Area.At(0, 8)));
    }

    // R4, D1: writable at once, except the page of the cache in a private mapping: one fault, copy, the file unchanged.
    [Theory]
    [MemberData(nameof(Cases))]
    public void StoreAfterInstall_Writable_NoFaultButOneForPrivateContinue(InstallCase which)
    {
        Scene scene = Set(which, writable: true, protect: false);
        Expect.Filled(scene.Install(), PageSize.Small);
        Assert.Equal(new FaultCounts(which == InstallCase.PrivateContinue ? 1 : 0, 0), Bed.CountStoreFaults(scene.Area.At(0)));
        AssertAfterStore(scene);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    [Regression(25)]
    public void StoreAfterInstall_WritableAndProtected_MessageThenTheStore(InstallCase which)
    {
        Scene scene = Set(which, writable: true, protect: true);
        Expect.Filled(scene.Install(), PageSize.Small);
        StoreThroughMessage(scene);
        AssertAfterStore(scene);
    }

    [Theory]
    [MemberData(nameof(CasesAndProtection))]
    public void StoreAfterInstall_ReadOnly_SegfaultWithoutMessage(InstallCase which, bool protect)
    {
        Scene scene = Set(which, writable: false, protect);
        Expect.Filled(scene.Install(), PageSize.Small);
        Bed.StoreFails(scene.Area.At(0), AccessFault.Protection);
        scene.Monitor.ExpectNothingQueued();
    }

    // 10: dirty and exclusive, so making the mapping writable makes the entry writable.
    [Theory]
    [Section("10")]
    [MemberData(nameof(Cases))]
    public void StoreAfterInstall_ReadOnlyMadeWritable_NoFaultButOneForPrivateContinue(InstallCase which)
    {
        Scene scene = Set(which, writable: false, protect: false);
        Expect.Filled(scene.Install(), PageSize.Small);
        Expect.Ok(Bed.Space.Protect(scene.Area.Range, Protections.ReadWrite));
        Assert.Equal(new FaultCounts(which == InstallCase.PrivateContinue ? 1 : 0, 0), Bed.CountStoreFaults(scene.Area.At(0)));
        AssertAfterStore(scene);
    }

    // 13, rows 21 and 26: protection given in a read-only mapping holds when the mapping is made writable.
    [Theory]
    [MemberData(nameof(Cases))]
    [Regression(21)]
    public void StoreAfterInstall_ReadOnlyProtectedMadeWritable_MessageThenTheStore(InstallCase which)
    {
        Scene scene = Set(which, writable: false, protect: true);
        Expect.Filled(scene.Install(), PageSize.Small);
        Expect.Ok(Bed.Space.Protect(scene.Area.Range, Protections.ReadWrite));
        StoreThroughMessage(scene);
        AssertAfterStore(scene);
    }

    [Theory]
    [MemberData(nameof(CasesAndProtection))]
    public void Install_Occupied_EEXISTAndNothingChanged(InstallCase which, bool protect)
    {
        Scene scene = Set(which, writable: true, protect);
        Expect.Filled(scene.Install(), PageSize.Small);
        (PagemapEntry entry, ulong blocks, ResidentCounters counters) = (Bed.Pagemap(scene.Area, 0), scene.Blocks(), Counters());
        Expect.Fails(scene.Install(), Errno.EEXIST);
        Assert.Equal((entry, blocks, counters), (Bed.Pagemap(scene.Area, 0), scene.Blocks(), Counters()));
    }

    // R8, D12: the file size is judged first: beyond it even an occupied entry is not seen. CONTINUE's look-up says EINVAL.
    [Theory]
    [InlineData(InstallCase.PrivateCopy, Errno.EFAULT)]
    [InlineData(InstallCase.PrivateContinue, Errno.EINVAL)]
    [InlineData(InstallCase.SharedContinue, Errno.EINVAL)]
    [InlineData(InstallCase.SharedCopy, Errno.EFAULT)]
    public void Install_BeyondTheEndOfTheFile_FailsAndNothingChanged(InstallCase which, Errno expected)
    {
        Scene scene = Set(which, writable: true, protect: false);
        Expect.Ok(scene.Area.Backing.Truncate(0));
        ResidentCounters before = Counters();
        Expect.Fails(scene.Install(), expected);
        Assert.Equal((0UL, 0UL, before), (Bed.Pagemap(scene.Area, 0).Value, scene.Blocks(), Counters()));
    }

    // 5.3: a failed COPY un-charges what it charged.
    [Fact]
    [Section("5.3")]
    public void SharedCopy_OverCachedPage_EEXISTAndBlocksKept()
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        ulong blocks = Testbed.Blocks(area);
        Expect.Fails(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Small, 9)), Errno.EEXIST);
        Assert.Equal(blocks, Testbed.Blocks(area));
    }

    // 5.3: the copy is retried outside the locks; the block is charged once in the end.
    [Fact]
    [Section("5.3")]
    public void SharedCopy_SourceFaults_OneBlockCharged()
    {
        Bed.NeedKernelFaults();
        MappedArea area = Bed.Map(MemoryKind.ShmemShared);
        MappedArea source = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        monitor.Register(source.Range, RegisterModes.Missing);
        PendingWork<FillResult> copy = Testbed.StartCall("copy", () => monitor.Uffd.Copy(area.Page(0), source.At(0)));
        monitor.ExpectFault(PageFaultFlags.None, source.At(0));
        Assert.Equal(0UL, Testbed.Blocks(area));
        Expect.Filled(monitor.Uffd.Copy(source.At(0), Pattern.Bytes(PageSize.Small, 6)), PageSize.Small);
        Expect.Filled(copy.Await(), PageSize.Small);
        Assert.Equal(8UL, Testbed.Blocks(area));
    }

    // the limit is reached while the source is fetched.
    [Fact]
    [Section("5.3")]
    [Regression(14)]
    public void SharedCopy_FileFullAfterTheSourceFaulted_ENOMEMAndNothingLeaks()
    {
        SystemResult<IMemoryFile> made = Engine.CreateMemoryFile(new() { Name = "limited", Size = 4 * PageSize.Small, LimitBytes = PageSize.Small });
        Testbed.SkipIf(made.Errno == Errno.EOPNOTSUPP ? $"No file with a limit can be made: {Engine.Capabilities.LimitedFiles.Reason}" : null);
        MappedArea area = Bed.MapFile(MemoryKind.ShmemShared, Bed.Own(Expect.Ok(made)), pages: 4);
        MappedArea source = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        monitor.Register(source.Range, RegisterModes.Missing);
        PendingWork<FillResult> copy = Testbed.StartCall("copy", () => monitor.Uffd.Copy(area.Page(0), source.At(0)));
        monitor.ExpectFault(PageFaultFlags.None, source.At(0));
        Bed.FillCache(area, 3, seed: 3);
        Expect.Filled(monitor.Uffd.Copy(source.At(0), Pattern.Bytes(PageSize.Small, 6)), PageSize.Small);
        Expect.Fails(copy.Await(), Errno.ENOMEM);
        Assert.Equal(8UL, Testbed.Blocks(area));
        Expect.Ok(area.Backing.PunchHole(3 * PageSize.Small, PageSize.Small));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Small, 1)), PageSize.Small);
    }

    // R21: what was installed survives being swapped out, also when nothing ever wrote to it.
    [Theory]
    [MemberData(nameof(CasesAndProtection))]
    [Regression(9)]
    public void SwapOut_InstalledInReadOnlyMapping_ContentsSurvive(InstallCase which, bool protect)
    {
        Scene scene = Set(which, writable: false, protect);
        Expect.Filled(scene.Install(), PageSize.Small);
        Bed.SwapOut(scene.Area.Page(0));
        PendingAccess load = Bed.StartLoad(scene.Area.At(0, 8));
        if (scene.InCache && which != InstallCase.SharedCopy)
        {
            scene.Monitor.ExpectFault(PageFaultFlags.Minor, scene.Area.At(0));
            Expect.Filled(scene.Install(), PageSize.Small);
        }

        Assert.Equal(scene.Word, load.AwaitValue());
        Assert.Equal(protect, Bed.Pagemap(scene.Area, 0).IsUserfaultfdWriteProtected);
    }

    private static TheoryData<InstallCase, bool, bool> CellsOf(InstallCase[] cases)
    {
        TheoryData<InstallCase, bool, bool> rows = [];
        foreach (InstallCase which in cases)
        {
            rows.Add(which, p2: true, p3: false);
            rows.Add(which, p2: true, p3: true);
            rows.Add(which, p2: false, p3: false);
            rows.Add(which, p2: false, p3: true);
        }

        return rows;
    }

    private ResidentCounters Counters() => Expect.Ok(Bed.Space.Inspector.GetCounters());

    private void StoreThroughMessage(Scene scene)
    {
        PendingAccess store = Bed.StartStore(scene.Area.At(0), 1);
        scene.Monitor.ExpectFault(WriteProtected, scene.Area.At(0));
        store.AssertStillBlocked();
        Expect.Ok(scene.Monitor.Uffd.WriteProtect(scene.Area.Page(0), WriteProtectModes.None));
        store.AwaitValue();
    }

    /// <summary>After a store of 1: seen in the mapping, and in the file exactly if the mapping is shared.</summary>
    private void AssertAfterStore(Scene scene)
    {
        Assert.Equal(1UL, Bed.Load(scene.Area.At(0)));
        scene.Monitor.ExpectNothingQueued();
        Assert.Equal(scene.Area.Kind.IsShared() ? 0 : PageSize.Small, Bed.Vma(scene.Area.Range).Anonymous);
        if (scene.Area.File is not null)
        {
            byte[] word = new byte[8];
            Assert.Equal(8, Expect.Ok(scene.Area.File.Read(0, word)));
            Assert.Equal(scene.Area.Kind.IsShared() ? 1UL : 0UL, BinaryPrimitives.ReadUInt64LittleEndian(word));
        }
    }

    private Scene Set(InstallCase which, bool writable, bool protect)
    {
        MemoryKind kind = which switch
        {
            InstallCase.AnonymousCopy => MemoryKind.Anonymous,
            InstallCase.PrivateCopy or InstallCase.PrivateContinue => MemoryKind.ShmemPrivate,
            _ => MemoryKind.ShmemShared,
        };
        MappedArea area = Bed.Map(kind, pages: 4, writable ? Protections.ReadWrite : Protections.Read);
        RegisterModes modes = RegisterModes.Missing | (protect ? RegisterModes.WriteProtect : RegisterModes.None);
        if (which is InstallCase.PrivateContinue or InstallCase.SharedContinue)
        {
            modes |= RegisterModes.Minor;
            MappedArea alias = Bed.Alias(area);
            Bed.AssertZero(alias, 0);
            Expect.Ok(Bed.Space.Unmap(alias.Range));
        }

        return new(which, area, Bed.Watch(area, modes), protect ? FillModes.WriteProtect : FillModes.None);
    }

    /// <summary>One cell, ready to be installed.</summary>
    private sealed record Scene(InstallCase Which, MappedArea Area, FaultMonitor Monitor, FillModes Modes)
    {
        /// <summary>Whether the page belongs to the file.</summary>
        internal bool InCache => Which >= InstallCase.PrivateContinue;

        /// <summary>The second word of the page after the install.</summary>
        internal ulong Word => Which is InstallCase.PrivateContinue or InstallCase.SharedContinue ? 0 : Pattern.Word(9, 8);

        internal FillResult Install() => Which is InstallCase.PrivateContinue or InstallCase.SharedContinue
            ? Monitor.Uffd.Continue(Area.Page(0), Modes)
            : Monitor.Uffd.Copy(Area.At(0), Pattern.Bytes(PageSize.Small, 9), Modes);

        internal ulong Blocks() => Area.File is null ? 0 : Testbed.Blocks(Area);
    }
}
