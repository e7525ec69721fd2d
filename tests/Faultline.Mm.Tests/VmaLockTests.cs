using System;
using System.Threading;
using Faultline.Sync;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>Faults hold their mapping, not the mmap lock: a call that changes one mapping does not stop a fault in another.</summary>
public sealed class VmaLockTests : IDisposable
{
    private const int DeadlineMs = 60_000;
    private const ulong Length = 16 * PageSize.Small;

    private readonly ManagedEngine _engine = new(new ManagedEngineOptions { MemoryBytes = 64 << 20 });

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void Fault_WhileAnotherMappingIsChanged_GoesOn()
    {
        MmState mm = ((AddressSpace)_engine.Home).State;
        AddressRange area = MapTouched();
        AddressRange other = MapTouched();
        using (RankedSharedLock.WriteScope held = mm.Lock.EnterWriteBesideFaults())
        {
            mm.VmaLocks.StartWrite(mm.Vmas.Find(other.Start.Value)!);
            Thread thread = StartStore(area.Start + PageSize.Small);

            Assert.True(thread.Join(DeadlineMs), "The fault waited for a call that changes another mapping.");
        }

        Assert.Empty(_engine.FindViolations());
    }

    [Fact]
    public void Fault_WhileItsMappingIsChanged_Waits()
    {
        MmState mm = ((AddressSpace)_engine.Home).State;
        AddressRange area = MapTouched();
        Thread thread;
        using (RankedSharedLock.WriteScope held = mm.Lock.EnterWriteBesideFaults())
        {
            mm.VmaLocks.StartWrite(mm.Vmas.Find(area.Start.Value)!);
            thread = StartStore(area.Start + PageSize.Small);

            Assert.False(thread.Join(100), "The fault did not wait.");
        }

        Assert.True(thread.Join(DeadlineMs), "The fault was not let in again.");
    }

    [Fact]
    public void Fault_WhileEverythingIsExcluded_Waits()
    {
        MmState mm = ((AddressSpace)_engine.Home).State;
        AddressRange area = MapTouched();
        Thread thread;
        using (RankedSharedLock.WriteScope held = mm.Lock.EnterWrite())
        {
            thread = StartStore(area.Start + PageSize.Small);

            Assert.False(thread.Join(100), "The fault did not wait.");
        }

        Assert.True(thread.Join(DeadlineMs), "The fault was not let in again.");
    }

    [Fact]
    public void Faults_WhileNeighboursComeAndGo_LoseNothing()
    {
        const int Rounds = 400;
        AddressRange area = MapTouched();
        string? failure = null;
        bool isOver = false;
        var faulting = new Thread(() =>
        {
            using IMemoryAccess access = _engine.Home.OpenAccess().Value;
            for (ulong round = 0; !Volatile.Read(ref isOver); round++)
            {
                VirtualAddress page = area.Start + (round % 16 * PageSize.Small);
                AccessResult stored = access.Store(page, round);
                AccessResult loaded = access.Load(page, out ulong value);
                if (!stored.IsOk || !loaded.IsOk || value != round)
                {
                    Volatile.Write(ref failure, $"Round {round}: {stored}, {loaded}, {value}.");
                    return;
                }

                _engine.Home.Advise(new AddressRange(page, PageSize.Small), Advice.DontNeed);
            }
        });
        faulting.Start();
        for (int round = 0; round < Rounds && Volatile.Read(ref failure) is null; round++)
        {
            // Next to the area and alike, so that it is merged with it, cut from it and taken away again.
            var neighbour = new AddressRange(area.Start - Length, Length);
            var request = new MapRequest
            {
                Address = neighbour.Start,
                Length = Length,
                Protection = Protections.ReadWrite,
                Options = MapOptions.Private | MapOptions.Anonymous | MapOptions.FixedNoReplace,
            };
            _engine.Home.Map(in request).OrThrow("mmap", neighbour);
            _engine.Home.Protect(neighbour.Slice(0, PageSize.Small), Protections.Read).OrThrow("mprotect", neighbour);
            _engine.Home.Unmap(neighbour).OrThrow("munmap", neighbour);
        }

        Volatile.Write(ref isOver, true);
        Assert.True(faulting.Join(DeadlineMs), "The faulting thread did not end.");
        Assert.Null(failure);
        Assert.Empty(_engine.FindViolations());
    }

    /// <summary>A mapping that has had a page, with room around it: its faults need no other mapping.</summary>
    private AddressRange MapTouched()
    {
        VirtualAddress start = _engine.Home.Map(MapRequest.PrivateAnonymous(3 * Length)).OrThrow("mmap");
        var area = new AddressRange(start + Length, Length);
        _engine.Home.Unmap(new AddressRange(start, Length)).OrThrow("munmap");
        _engine.Home.Unmap(new AddressRange(area.End, Length)).OrThrow("munmap");
        _engine.Home.Advise(area.Slice(0, PageSize.Small), Advice.PopulateWrite).OrThrow("madvise", area);
        return area;
    }

    private Thread StartStore(VirtualAddress address)
    {
        var thread = new Thread(() =>
        {
            using IMemoryAccess access = _engine.Home.OpenAccess().Value;
            access.Store(address, 1);
        })
        {
            IsBackground = true,
        };
        thread.Start();
        return thread;
    }
}
