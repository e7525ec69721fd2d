using System;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Linux.Tests;

public sealed class HomeAccessTests : IDisposable
{
    private readonly LinuxEngine _engine = new();
    private readonly IMemoryAccess _access;

    public HomeAccessTests() => _access = _engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("access");

    public void Dispose()
    {
        _access.Dispose();
        _engine.Dispose();
    }

    [Fact]
    public void Read_IntoForbiddenMemory_AnswersBadAddressAndWhatWasDone()
    {
        VirtualAddress at = _engine.Home.Map(MapRequest.PrivateAnonymous(3 * PageSize.Small)).OrThrow("mmap");
        _engine.Home.Protect(new(at + (2 * PageSize.Small), PageSize.Small), Protections.None).OrThrow("mprotect");
        byte[] bytes = new byte[3 * PageSize.Small];
        Assert.Equal(new(AccessFault.BadAddress, default, (2 * PageSize.Small) - 10), _access.Read(at + 10, bytes.AsSpan(10)));
        Assert.Equal(new(AccessFault.BadAddress, default, 2 * PageSize.Small), _access.Write(at, bytes));
        Assert.Equal(new(AccessFault.BadAddress, default, 0), _access.Load(at + (2 * PageSize.Small), out _));
        Assert.Equal(new(AccessFault.BadAddress, default, 0), _access.Load(default, out _));
        Assert.Equal(new(AccessFault.None, default, 0), _access.Read(default, []));
        _engine.Home.Unmap(new(at, 3 * PageSize.Small)).OrThrow("munmap");
    }

    [Fact]
    public void Write_ToReadOnlyMemory_AnswersBadAddress()
    {
        VirtualAddress at = _engine.Home.Map(MapRequest.PrivateAnonymous(PageSize.Small) with { Protection = Protections.Read }).OrThrow("mmap");
        Assert.Equal(AccessFault.BadAddress, _access.Store(at, 1).Fault);
        Assert.Equal(AccessFault.None, _access.Load(at, out ulong value).Fault);
        Assert.Equal(0UL, value);
        _engine.Home.Unmap(new(at, PageSize.Small)).OrThrow("munmap");
    }

    [Fact]
    public void Access_ToPoisonedPage_IsAnAnswerAndPopulateNamesIt()
    {
        Require.KernelFaults();
        Assert.SkipUnless(_engine.Capabilities.Features.HasFlag(UserfaultfdFeatures.Poison), "POISON needs Linux 6.6 or later.");
        VirtualAddress at = _engine.Home.Map(MapRequest.PrivateAnonymous(PageSize.Small)).OrThrow("mmap");
        using IUserfaultfd context = UserfaultfdHandshake.Open(_engine.Home, UserfaultfdFeatures.Poison).OrThrow("userfaultfd");
        Assert.True(context.Register(new(at, PageSize.Small), RegisterModes.Missing).IsOk);
        Assert.True(context.Poison(new(at, PageSize.Small)).IsOk);
        Assert.Equal(AccessFault.BadAddress, _access.Load(at, out _).Fault);
        Assert.Equal(Errno.EHWPOISON, _engine.Home.Advise(new(at, PageSize.Small), Advice.PopulateRead).Errno);
        _engine.Home.Unmap(new(at, PageSize.Small)).OrThrow("munmap");
    }

    [Fact]
    public void LoadAndStore_OfUnalignedAddress_Throw()
    {
        Assert.Throws<ArgumentException>(() => _access.Load(new(4), out _));
        Assert.Throws<ArgumentException>(() => _access.Store(new(12), 1));
        Assert.Throws<InvalidOperationException>(() => _access.CompareExchange(new(8), 1, 2, out _));
    }

    // The kernel counts by thread, and the runtime may touch a page of its own (stack, code) in the middle of an access: never fewer, and in some round
    // none more.
    [Fact]
    public void FaultCounts_OfPagesTouched_CountEachOnce()
    {
        const int Rounds = 50;
        const ulong Pages = 10;
        FaultCounts fewest = new(long.MaxValue, long.MaxValue);
        for (int round = 0; round < Rounds; round++)
        {
            VirtualAddress at = _engine.Home.Map(MapRequest.PrivateAnonymous(Pages * PageSize.Small)).OrThrow("mmap");
            FaultCounts before = _access.FaultCounts;
            for (ulong page = 0; page < Pages; page++)
            {
                Assert.True(_access.Store(at + (page * PageSize.Small), page).IsOk);
                Assert.True(_access.Store(at + (page * PageSize.Small), page).IsOk);
            }

            FaultCounts after = _access.FaultCounts;
            fewest = new(Math.Min(fewest.Minor, after.Minor - before.Minor), Math.Min(fewest.Major, after.Major - before.Major));
            _engine.Home.Unmap(new(at, Pages * PageSize.Small)).OrThrow("munmap");
        }

        Assert.Equal(new FaultCounts((long)Pages, 0), fewest);
    }

    [Fact]
    public async Task ThreadId_OfAccessFromAnotherThread_IsThatThreads()
    {
        Assert.Equal((uint)KernelThread.CurrentId, _access.ThreadId);
        int other = await Task.Factory.StartNew(
            () =>
            {
                _ = _access.Load(default, out _);
                return KernelThread.CurrentId;
            },
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        Assert.Equal((uint)other, _access.ThreadId);
    }

    [Fact]
    public void TryGetSpan_OfPopulatedRange_IsTheMemory()
    {
        VirtualAddress at = _engine.Home.Map(MapRequest.PrivateAnonymous(PageSize.Small)).OrThrow("mmap");
        _engine.Home.Advise(new(at, PageSize.Small), Advice.PopulateWrite).OrThrow("madvise");
        Assert.True(_engine.Home.TryGetSpan(new(at, PageSize.Small), out Span<byte> span));
        span[8] = 7;
        Assert.True(_access.Load(at + 8, out ulong value).IsOk);
        Assert.Equal(7UL, value);
        Assert.False(_engine.Home.TryGetSpan(new(at, 1UL << 31), out _));
        _engine.Home.Unmap(new(at, PageSize.Small)).OrThrow("munmap");
    }

    [Fact]
    public void OpenAccess_InUserMode_IsNotSupportedHere() => Assert.Equal(Errno.EOPNOTSUPP, _engine.Home.OpenAccess(AccessMode.User).Errno);
}
