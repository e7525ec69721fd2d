using System;
using System.Collections.Generic;
using System.Linq;
using Xunit;

namespace Faultline.Linux.Tests;

public sealed class InspectorTests : IDisposable
{
    private readonly LinuxEngine _engine = new();

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void Parse_OfSmaps_ReadsEveryMember()
    {
        ReadOnlySpan<byte> text = """
            7f0000000000-7f0000002000 rw-s 00003000 00:01 77                         /memfd:x (deleted)
            Size:                  8 kB
            Rss:                   1 kB
            Pss:                   2 kB
            Shared_Clean:          3 kB
            Shared_Dirty:          4 kB
            Private_Clean:         5 kB
            Private_Dirty:         6 kB
            Anonymous:             7 kB
            AnonHugePages:         8 kB
            ShmemPmdMapped:        9 kB
            Shared_Hugetlb:       10 kB
            Private_Hugetlb:      11 kB
            Swap:                 12 kB
            SwapPss:              99 kB
            VmFlags: rd wr sh mr mw me ms um uw ui lo 
            7f0000002000-7f0000003000 --xp 00000000 00:00 0 
            VmFlags: ex mr
            ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
            Rss:                   0 kB

            """u8;
        List<VmaInfo> all = SmapsParser.Parse(text, new(default, ulong.MaxValue));
        Assert.Equal(3, all.Count);
        VmaInfo expected = new()
        {
            Range = new(new(0x7f0000000000), 0x2000),
            Protection = Protections.ReadWrite,
            IsShared = true,
            FileOffset = 0x3000,
            RegisteredModes = RegisterModes.Missing | RegisterModes.WriteProtect | RegisterModes.Minor,
            IsLocked = true,
            Resident = 1 << 10,
            ProportionalResident = 2 << 10,
            SharedClean = 3 << 10,
            SharedDirty = 4 << 10,
            PrivateClean = 5 << 10,
            PrivateDirty = 6 << 10,
            Anonymous = 7 << 10,
            AnonymousHuge = 8 << 10,
            ShmemHuge = 9 << 10,
            SharedHugetlb = 10 << 10,
            PrivateHugetlb = 11 << 10,
            Swap = 12 << 10,
        };
        Assert.Equal(expected, all[0]);
        Assert.Equal(new VmaInfo { Range = new(new(0x7f0000002000), 0x1000), Protection = Protections.Execute }, all[1]);
        Assert.Equal(all[1], Assert.Single(SmapsParser.Parse(text, new(new(0x7f0000002fff), 1))));
        Assert.Empty(SmapsParser.Parse(text, new(new(0x7f0000003000), 0x1000)));
        Assert.Empty(SmapsParser.Parse(text, new(new(0x7f0000000000), 0)));
    }

    [Fact]
    public void GetMappings_OfRegisteredAndLockedArea_ShowsModesAndPages()
    {
        Require.KernelFaults();
        AddressRange range = new(_engine.Home.Map(MapRequest.PrivateAnonymous(4 * PageSize.Small)).OrThrow("mmap"), 4 * PageSize.Small);
        _engine.Home.Lock(range.Slice(0, 2 * PageSize.Small)).OrThrow("mlock");
        using IUserfaultfd context = UserfaultfdHandshake.Open(_engine.Home, UserfaultfdFeatures.None).OrThrow("userfaultfd");
        Assert.True(context.Register(range, RegisterModes.Missing | RegisterModes.WriteProtect).IsOk);
        IReadOnlyList<VmaInfo> mappings = _engine.Home.Inspector.GetMappings(range).OrThrow("smaps");
        Assert.Equal(2, mappings.Count);
        Assert.Equal(range.Slice(0, 2 * PageSize.Small), mappings[0].Range);
        Assert.True(mappings[0].IsLocked);
        Assert.Equal(2 * PageSize.Small, mappings[0].Resident);
        Assert.Equal(2 * PageSize.Small, mappings[0].Anonymous);
        Assert.Equal(RegisterModes.Missing | RegisterModes.WriteProtect, mappings[1].RegisteredModes);
        Assert.False(mappings[1].IsLocked);
        Assert.Equal(0UL, mappings[1].Resident);
        _engine.Home.Unmap(range).OrThrow("munmap");
    }

    [Fact]
    public void ReadPagemap_OfPresentAbsentAndImpossiblePages_TellsThemApart()
    {
        AddressRange range = new(_engine.Home.Map(MapRequest.PrivateAnonymous(3 * PageSize.Small)).OrThrow("mmap"), 3 * PageSize.Small);
        using IMemoryAccess access = _engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("access");
        Assert.True(access.Store(range.Start + PageSize.Small, 1).IsOk);
        var entries = new PagemapEntry[3];
        Assert.Equal(3, _engine.Home.Inspector.ReadPagemap(range.Start + 5, entries).OrThrow("pagemap"));
        Assert.Equal([false, true, false], entries.Select(entry => entry.IsPresent));
        Assert.True(entries[1].IsExclusive);
        Array.Fill(entries, new(1));
        Assert.Equal(3, _engine.Home.Inspector.ReadPagemap(new(0x7fff_ffff_e000), entries).OrThrow("pagemap"));
        Assert.All(entries[1..], entry => Assert.Equal(default, entry));
        Assert.Equal(3, _engine.Home.Inspector.ReadPagemap(new(1UL << 63), entries).OrThrow("pagemap"));
        Assert.All(entries, entry => Assert.Equal(default, entry));
        _engine.Home.Unmap(range).OrThrow("munmap");
    }

    [Fact]
    public void Scan_ForPresentPages_ReportsRuns()
    {
        Assert.SkipUnless(_engine.Capabilities.PagemapScan.IsAvailable, _engine.Capabilities.PagemapScan.Reason);
        AddressRange range = new(_engine.Home.Map(MapRequest.PrivateAnonymous(8 * PageSize.Small)).OrThrow("mmap"), 8 * PageSize.Small);
        using IMemoryAccess access = _engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("access");
        foreach (ulong page in (ulong[])[1, 2, 5])
        {
            Assert.True(access.Store(range.Start + (page * PageSize.Small), 1).IsOk);
        }

        PagemapScanRequest request = new() { Range = range, Mask = PageCategories.Present, Return = PageCategories.Present };
        var regions = new PageRegion[4];
        Assert.Equal(new PagemapScanResult(Errno.None, 2, range.End), _engine.Home.Inspector.Scan(in request, regions));
        Assert.Equal(new PageRegion(range.Slice(PageSize.Small, 2 * PageSize.Small), PageCategories.Present), regions[0]);
        Assert.Equal(new PageRegion(range.Slice(5 * PageSize.Small, PageSize.Small), PageCategories.Present), regions[1]);
        PagemapScanRequest limited = request with { MaxPages = 1 };
        Assert.Equal(new PagemapScanResult(Errno.None, 1, range.Start + (2 * PageSize.Small)), _engine.Home.Inspector.Scan(in limited, regions));
        PagemapScanRequest wrong = request with { Flags = (PagemapScanFlags)4 };
        Assert.Equal(Errno.EINVAL, _engine.Home.Inspector.Scan(in wrong, regions).Errno);
        _engine.Home.Unmap(range).OrThrow("munmap");
    }

    [Fact]
    public void GetCounters_AfterPopulating_Grow()
    {
        const ulong Length = 16 << 20;
        AddressRange range = new(_engine.Home.Map(MapRequest.PrivateAnonymous(Length)).OrThrow("mmap"), Length);
        ResidentCounters before = _engine.Home.Inspector.GetCounters().OrThrow("status");
        _engine.Home.Advise(range, Advice.PopulateWrite).OrThrow("madvise");
        ResidentCounters after = _engine.Home.Inspector.GetCounters().OrThrow("status");
        Assert.True(after.Anonymous >= before.Anonymous + (Length / 2), $"{before} {after}");
        ProcessMemory whole = ProcessMemory.Read(Environment.ProcessId).OrThrow("smaps_rollup");
        Assert.True(whole.Resident >= Length);
        Assert.InRange(whole.ProportionalResident, Length, whole.Resident);
        Assert.True(whole.ProportionalAnonymous >= Length);
        Assert.Equal(Errno.ESRCH, ProcessMemory.Read(int.MaxValue).Errno);
        _engine.Home.Unmap(range).OrThrow("munmap");
    }
}
