using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Faultline.Conformance;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>
/// Calls with any arguments, of two threads at once: wild addresses, overlapping ranges, lengths that overflow, flags that do not exist. Every one must be
/// answered, the engine add up, nothing be written beside the frames or to free ones, and another address space keep its contents.
/// </summary>
/// <remarks>FAULTLINE_WILD_CALLS: how many calls each seed makes (120,000).</remarks>
public sealed class WildCallTests
{
    private const ulong Page = PageSize.Small;
    private const int Batch = 10_000;
    private const int BystanderPages = 64;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void AnyCall_AnyArguments_IsAnsweredAndTheEngineAddsUp(int seed)
    {
        using var engine = new ManagedEngine(new ManagedEngineOptions
        {
            MemoryBytes = 64UL << 20,
            Swap = new MemorySwapDevice(4096),
            MappingLimit = 200,
            GuardsMemory = true,
        });
        string? wanted = Environment.GetEnvironmentVariable("FAULTLINE_WILD_CALLS");
        int calls = wanted is null ? 120_000 : int.Parse(wanted, CultureInfo.InvariantCulture);
        long framesAtStart = engine.FramesInUse;
        using (IAddressSpace bystander = engine.CreateAddressSpace().OrThrow("an address space"))
        using (IAddressSpace space = engine.CreateAddressSpace().OrThrow("an address space"))
        using (IMemoryFile file = engine.CreateMemoryFile(new MemoryFileOptions { Name = "wild", Size = 32 * Page, LimitBytes = 64 * Page }).OrThrow("a file"))
        using (IUserfaultfd uffd = UserfaultfdHandshake.Open(space, UserfaultfdFeatures.SigBus).OrThrow("userfaultfd"))
        using (IMemoryAccess user = space.OpenAccess().OrThrow("access"))
        using (IMemoryAccess kernel = space.OpenAccess(AccessMode.Kernel).OrThrow("access"))
        {
            VirtualAddress kept = FillBystander(bystander);
            Caller[] callers =
            [
                new Caller(new Random(seed), Page, engine, space, file, uffd, user),
                new Caller(new Random(seed + 1000), Page, engine, space, file, uffd, kernel),
            ];
            for (int done = 0; done < calls; done += 2 * Batch)
            {
                PendingWork<bool>[] batches = [.. callers.Select(caller => Testbed.StartCall("wild calls", () => caller.CallOften(Batch)))];
                Assert.All(batches, batch => Assert.True(batch.Await()));
                AssertAddsUp(engine);
                AssertBystanderKept(bystander, kept);
            }
        }

        AssertAddsUp(engine);
        Assert.Equal(framesAtStart, engine.FramesInUse);
    }

    /// <summary>Half of it in swap, which the calls fill and empty too.</summary>
    private static VirtualAddress FillBystander(IAddressSpace bystander)
    {
        VirtualAddress start = bystander.Map(MapRequest.PrivateAnonymous(BystanderPages * Page)).OrThrow("mmap");
        using IMemoryAccess access = bystander.OpenAccess().OrThrow("access");
        for (ulong page = 0; page < BystanderPages; page++)
        {
            Assert.True(access.Write(start + (page * Page), Pattern.Bytes(Page, page)).IsOk);
        }

        bystander.Advise(new AddressRange(start, BystanderPages / 2 * Page), Advice.PageOut).OrThrow("madvise");
        return start;
    }

    private static void AssertBystanderKept(IAddressSpace bystander, VirtualAddress start)
    {
        using IMemoryAccess access = bystander.OpenAccess().OrThrow("access");
        byte[] bytes = new byte[Page];
        for (ulong page = 0; page < BystanderPages; page++)
        {
            Assert.True(access.Read(start + (page * Page), bytes).IsOk);
            Assert.Equal(Pattern.Bytes(Page, page), bytes);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void AnyCall_AmongHugePages_IsAnsweredAndThePoolAddsUp(int seed)
    {
        const int Pool = 12;
        using var engine = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = 64UL << 20, HugePages = Pool, MappingLimit = 200, GuardsMemory = true });
        long framesAtStart = engine.FramesInUse;
        MemoryFileOptions options = new() { Name = "wild", Size = 4 * PageSize.Huge, HugePages = true };
        using (IAddressSpace space = engine.CreateAddressSpace().OrThrow("an address space"))
        using (IMemoryFile file = engine.CreateMemoryFile(options).OrThrow("a file"))
        using (IUserfaultfd uffd = UserfaultfdHandshake.Open(space, UserfaultfdFeatures.SigBus).OrThrow("userfaultfd"))
        using (IMemoryAccess access = space.OpenAccess().OrThrow("access"))
        {
            var caller = new Caller(new Random(seed), PageSize.Huge, engine, space, file, uffd, access);
            for (int done = 0; done < 35_000; done += 1000)
            {
                Assert.True(Testbed.StartCall("wild calls", () => caller.CallOften(1000)).Await());
                AssertAddsUp(engine);
            }
        }

        AssertAddsUp(engine);
        Assert.Equal(new HugePageCounts(Pool, Pool, 0), engine.HugePages);
        Assert.Equal(framesAtStart, engine.FramesInUse);
    }

    private static void AssertAddsUp(ManagedEngine engine)
    {
        IReadOnlyList<string> violations = engine.FindViolations();
        Assert.True(violations.Count == 0, string.Join('\n', violations));
    }

    private sealed class Caller(Random random, ulong unit, IMemoryEngine engine, IAddressSpace space, IMemoryFile file, IUserfaultfd uffd, IMemoryAccess access)
    {
        private readonly byte[] _bytes = new byte[unit == Page ? 5 * Page : unit];
        private readonly PagemapEntry[] _pagemap = new PagemapEntry[8];
        private readonly PageRegion[] _regions = new PageRegion[3];

        public bool CallOften(int times)
        {
            for (int call = 0; call < times; call++)
            {
                CallOnce();
            }

            return true;
        }

        private void CallOnce()
        {
            AddressRange range = AnyRange();
            switch (random.Next(24))
            {
                case 0:
                    Map(range);
                    break;
                case 1:
                    space.Unmap(range);
                    break;
                case 2:
                    space.Protect(range, (Protections)random.Next(9));
                    break;
                case 3:
                    space.Remap(range, AnyLength(), (RemapOptions)random.Next(9), AnyAddress());
                    break;
                case 4:
                    space.Advise(range, (Advice)random.Next(104));
                    break;
                case 5:
                    _ = random.Next(2) == 0 ? space.Lock(range) : space.LockOnFault(range);
                    space.Unlock(range);
                    break;
                case 6:
                    uffd.Register(range, (RegisterModes)random.Next(9));
                    break;
                case 7:
                    uffd.Unregister(range);
                    break;
                case 8:
                    uffd.Wake(range);
                    break;
                case 9:
                    uffd.Copy(range.Start, _bytes.AsSpan(0, AnyCount()), (FillModes)random.Next(5));
                    break;
                case 10:
                    uffd.Copy(range, AnyAddress(), (FillModes)random.Next(5));
                    break;
                case 11:
                    uffd.Continue(range, (FillModes)random.Next(5));
                    break;
                case 12:
                    uffd.Zeropage(range, (FillModes)random.Next(3));
                    break;
                case 13:
                    uffd.Poison(range, (FillModes)random.Next(3));
                    break;
                case 14:
                    uffd.Move(range.Start, AnyAddress(), range.Length, (MoveModes)random.Next(5));
                    break;
                case 15:
                    uffd.WriteProtect(range, (WriteProtectModes)random.Next(5));
                    break;
                case 16:
                    Inspect(range);
                    break;
                case 17:
                    ChangeFile();
                    break;
                case 18 when random.Next(50) == 0:
                    MakeAndEnd();
                    break;
                default:
                    Access(range.Start);
                    break;
            }
        }

        private void Map(AddressRange range)
        {
            MapOptions options = (MapOptions)(1 << random.Next(22)) | (random.Next(2) == 0 ? MapOptions.Shared : MapOptions.Private);
            bool isAnonymous = random.Next(2) == 0;
            if (unit != Page && random.Next(2) == 0)
            {
                options |= MapOptions.HugeTlb | (random.Next(2) == 0 ? MapOptions.Fixed : MapOptions.None);
            }

            space.Map(new MapRequest
            {
                Address = range.Start,
                Length = range.Length,
                Protection = (Protections)random.Next(8),
                Options = isAnonymous ? options | MapOptions.Anonymous : options & ~MapOptions.Anonymous,
                File = isAnonymous ? null : file,
                Offset = random.Next(3) == 0 ? AnyLength() : (ulong)random.Next(40) * Unit(),
            });
        }

        /// <summary>Things that come and go: address spaces, files, contexts.</summary>
        private void MakeAndEnd()
        {
            switch (random.Next(4))
            {
                case 0:
                    space.Fork().Value?.Dispose();
                    break;
                case 1:
                    engine.CreateMemoryFile(new MemoryFileOptions { Name = "wild", Size = AnyLength(), LimitBytes = AnyLength() }).Value?.Dispose();
                    break;
                case 2:
                    using (IMemoryFile again = file.Reopen((FileAccessRights)random.Next(2)).OrThrow("open"))
                    {
                        again.Write(AnyLength(), _bytes);
                        again.Read(AnyLength(), _bytes);
                    }

                    break;
                default:
                    using (IUserfaultfd? other = space.OpenUserfaultfd((UserfaultfdOptions)(1 << random.Next(32))).Value)
                    {
                        var features = (UserfaultfdFeatures)(1UL << random.Next(20));
                        other?.Handshake(features & ~UserfaultfdFeatures.EventFork, random.Next(2) == 0 ? UserfaultfdApi.Version : AnyLength());
                        other?.Handshake(UserfaultfdFeatures.SigBus);
                        other?.Unregister(AnyRange());
                    }

                    break;
            }
        }

        private void Inspect(AddressRange range)
        {
            space.Inspector.ReadPagemap(range.Start, _pagemap);
            space.Inspector.GetMappings(range);
            space.TryGetSpan(range, out _);
            space.Inspector.Scan(
                new PagemapScanRequest
                {
                    Range = range.Length > 1UL << 30 ? range with { Length = 1UL << 30 } : range,
                    Flags = (PagemapScanFlags)random.Next(5),
                    MaxPages = (ulong)random.Next(5),
                    Mask = (PageCategories)random.Next(1024),
                    Return = (PageCategories)random.Next(512),
                },
                _regions.AsSpan(0, random.Next(4)));
        }

        private void ChangeFile()
        {
            ulong offset = random.Next(4) == 0 ? AnyLength() : (ulong)random.NextInt64((long)(80 * Page)) * Unit() / Page;
            ulong length = random.Next(4) == 0 ? AnyLength() : (ulong)random.NextInt64((long)(20 * Page)) * Unit() / Page;
            switch (random.Next(6))
            {
                case 0:
                    file.Truncate(offset);
                    break;
                case 1:
                    file.Allocate(offset, length);
                    break;
                case 2:
                    file.PunchHole(offset, length);
                    break;
                case 3:
                    file.Write(offset, _bytes);
                    break;
                case 4:
                    file.Read(offset, _bytes);
                    break;
                default:
                    file.FindData(offset);
                    file.FindHole(offset);
                    break;
            }
        }

        private void Access(VirtualAddress address)
        {
            switch (random.Next(access.Mode == AccessMode.User ? 3 : 2))
            {
                case 0:
                    access.Read(address, _bytes.AsSpan(0, 5 * (int)Page));
                    break;
                case 1:
                    access.Write(address, _bytes.AsSpan(0, 5 * (int)Page));
                    break;
                default:
                    access.CompareExchange(address.AlignDown(8), 1, 0, out _);
                    break;
            }
        }

        /// <summary>Mostly around a small area, so that calls meet; sometimes anywhere.</summary>
        private VirtualAddress AnyAddress() => random.Next(12) switch
        {
            0 => new VirtualAddress((ulong)random.NextInt64(long.MinValue, long.MaxValue)),
            1 => new VirtualAddress(PageTable.UserEnd - ((ulong)random.Next(4) * Page)),
            2 => new VirtualAddress(ulong.MaxValue - ((ulong)random.Next(3) * Page) + 1),
            3 => new VirtualAddress((1UL << 32) + (ulong)random.Next(0x40000)),
            _ => new VirtualAddress((1UL << 32) + ((ulong)random.Next(64) * Unit())),
        };

        /// <summary>The size of the pages that the memory is made of, mostly.</summary>
        private ulong Unit() => random.Next(8) == 0 ? Page : unit;

        private int AnyCount() => unit == Page || random.Next(3) == 0 ? random.Next(_bytes.Length + 1) : _bytes.Length;

        private ulong AnyLength() => random.Next(10) switch
        {
            0 => (ulong)random.NextInt64(long.MinValue, long.MaxValue),
            1 => ulong.MaxValue - (ulong)random.Next(5000),
            2 => (ulong)random.Next(20000),
            _ => (ulong)random.Next(20) * Unit(),
        };

        private AddressRange AnyRange() => new(AnyAddress(), AnyLength());
    }
}
