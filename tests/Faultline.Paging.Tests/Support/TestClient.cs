using System;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>An address space with one region served by a pager, and a thread in it.</summary>
public sealed class TestClient(IAddressSpace space, IUserfaultfd context, AddressRange range, PagerClient paged) : IDisposable
{
    private IMemoryAccess? _access;

    public IAddressSpace Space { get; } = space;

    public IUserfaultfd Context { get; } = context;

    public AddressRange Range { get; } = range;

    public PagerClient Paged { get; } = paged;

    public IMemoryAccess Access => _access ??= Space.OpenAccess().OrThrow("accessor");

    public VirtualAddress At(ulong offset) => Range.Start + offset;

    public AddressRange Page(ulong page, ulong count = 1) => Range.Slice(page * PageSize.Small, count * PageSize.Small);

    /// <summary>Loads the word at an offset, with a deadline.</summary>
    public ulong WordAt(ulong offset)
    {
        AccessResult result = Access.Load(At(offset), out ulong value);
        Assert.Equal(AccessFault.None, result.Fault);
        return value;
    }

    public AccessFault LoadFault(ulong offset) => Access.Load(At(offset), out _).Fault;

    public void SetWord(ulong offset, ulong value) => Assert.Equal(AccessFault.None, Access.Store(At(offset), value).Fault);

    /// <summary>Begins to load the word at an offset on a thread of its own in the address space.</summary>
    public Task<(AccessFault Fault, ulong Value)> BeginLoadAsync(ulong offset)
    {
        IMemoryAccess access = Space.OpenAccess().OrThrow("accessor");
        return Task.Factory.StartNew(
            () =>
            {
                using (access)
                {
                    AccessResult result = access.Load(At(offset), out ulong value);
                    return (result.Fault, value);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).WaitAsync(TimeSpan.FromSeconds(60));
    }

    /// <summary>Waits until a number is counted: a client runs on before the pager counts what it did.</summary>
    public void Counts(long expected, Func<PagerStatistics, long> what)
    {
        SpinWait.SpinUntil(() => what(Paged.GetStatistics()) == expected, TimeSpan.FromSeconds(60));
        Assert.Equal(expected, what(Paged.GetStatistics()));
    }

    public void Dispose()
    {
        _access?.Dispose();
        Paged.Dispose();
        Space.Dispose();
    }
}
