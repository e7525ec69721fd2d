using System;
using System.Collections.Generic;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>
/// Calls with any arguments: wild addresses, lengths that overflow, flags that do not exist. Every one must be answered, and the engine add up.
/// </summary>
public sealed class WildCallTests
{
    private const ulong Page = PageSize.Small;
    private const int Calls = 350_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void AnyCall_AnyArguments_IsAnsweredAndTheEngineAddsUp(int seed)
    {
        using var engine = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = 64UL << 20, Swap = new MemorySwapDevice(4096), MappingLimit = 200 });
        long framesAtStart = engine.FramesInUse;
        using (IAddressSpace space = engine.CreateAddressSpace().OrThrow("an address space"))
        using (IMemoryFile file = engine.CreateMemoryFile(new MemoryFileOptions { Name = "wild", Size = 32 * Page, LimitBytes = 64 * Page }).OrThrow("a file"))
        using (IUserfaultfd uffd = UserfaultfdHandshake.Open(space, UserfaultfdFeatures.SigBus).OrThrow("userfaultfd"))
        using (IMemoryAccess access = space.OpenAccess().OrThrow("access"))
        {
            var caller = new Caller(new Random(seed), space, file, uffd, access);
            for (int call = 0; call < Calls; call++)
            {
                caller.CallOnce();
                if (call % 50_000 == 0)
                {
                    AssertAddsUp(engine);
                }
            }
        }

        AssertAddsUp(engine);
        Assert.Equal(framesAtStart, engine.FramesInUse);
    }

    private static void AssertAddsUp(ManagedEngine engine)
    {
        IReadOnlyList<string> violations = engine.FindViolations();
        Assert.True(violations.Count == 0, string.Join('\n', violations));
    }

    private sealed class Caller(Random random, IAddressSpace space, IMemoryFile file, IUserfaultfd uffd, IMemoryAccess access)
    {
        private readonly byte[] _bytes = new byte[5 * Page];
        private readonly PagemapEntry[] _pagemap = new PagemapEntry[8];
        private readonly PageRegion[] _regions = new PageRegion[3];

        public void CallOnce()
        {
            AddressRange range = AnyRange();
            switch (random.Next(22))
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
                    space.Lock(range);
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
                    uffd.Copy(range.Start, _bytes.AsSpan(0, random.Next(_bytes.Length + 1)), (FillModes)random.Next(5));
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
                default:
                    Access(range.Start);
                    break;
            }
        }

        private void Map(AddressRange range)
        {
            MapOptions options = (MapOptions)(1 << random.Next(22)) | (random.Next(2) == 0 ? MapOptions.Shared : MapOptions.Private);
            bool isAnonymous = random.Next(2) == 0;
            space.Map(new MapRequest
            {
                Address = range.Start,
                Length = range.Length,
                Protection = (Protections)random.Next(8),
                Options = isAnonymous ? options | MapOptions.Anonymous : options & ~MapOptions.Anonymous,
                File = isAnonymous ? null : file,
                Offset = random.Next(3) == 0 ? AnyLength() : (ulong)random.Next(40) * Page,
            });
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
            ulong offset = random.Next(4) == 0 ? AnyLength() : (ulong)random.NextInt64((long)(80 * Page));
            ulong length = random.Next(4) == 0 ? AnyLength() : (ulong)random.NextInt64((long)(20 * Page));
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
            switch (random.Next(3))
            {
                case 0:
                    access.Read(address, _bytes);
                    break;
                case 1:
                    access.Write(address, _bytes);
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
            _ => new VirtualAddress((1UL << 32) + ((ulong)random.Next(64) * Page)),
        };

        private ulong AnyLength() => random.Next(10) switch
        {
            0 => (ulong)random.NextInt64(long.MinValue, long.MaxValue),
            1 => ulong.MaxValue - (ulong)random.Next(5000),
            2 => (ulong)random.Next(20000),
            _ => (ulong)random.Next(20) * Page,
        };

        private AddressRange AnyRange() => new(AnyAddress(), AnyLength());
    }
}
