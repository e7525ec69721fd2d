using System;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>Memory of the program's own, of one of the kinds that can be write-protected, filled, with an accessor whose faults are real.</summary>
public sealed class TrackedMemory : IDisposable
{
    private readonly IMemoryEngine _engine;
    private readonly IMemoryFile? _file;

    public TrackedMemory(IMemoryEngine engine, MemorySort sort, int pages, bool populated = true)
    {
        Assert.SkipUnless(engine.Capabilities.KernelFaults.IsAvailable, engine.Capabilities.KernelFaults.Reason);
        bool isHuge = sort is MemorySort.HugetlbShared or MemorySort.HugetlbPrivate;
        Assert.SkipUnless(!isHuge || engine.Capabilities.HugePages.IsAvailable, engine.Capabilities.HugePages.Reason);
        _engine = engine;
        PageBytes = isHuge ? PageSize.Huge : PageSize.Small;
        ulong length = (ulong)pages * PageBytes;
        var request = MapRequest.PrivateAnonymous(length);
        if (sort != MemorySort.Anonymous)
        {
            _file = engine.CreateMemoryFile(new() { Name = "tracked", Size = length, HugePages = isHuge }).OrThrow("memfd_create");
            request = sort is MemorySort.ShmemShared or MemorySort.HugetlbShared
                ? MapRequest.SharedFile(_file, length)
                : MapRequest.PrivateFile(_file, length);
        }

        SystemResult<VirtualAddress> mapped = engine.Home.Map(in request);
        Assert.SkipUnless(mapped.Errno != Errno.ENOMEM || !isHuge, "The pool has no free huge pages: sysctl vm.nr_hugepages.");
        Range = new AddressRange(mapped.OrThrow("mmap"), length);
        if (populated)
        {
            engine.Home.Advise(Range, Advice.PopulateWrite).OrThrow("MADV_POPULATE_WRITE", Range);
        }

        Access = OpenAccess();
    }

    public AddressRange Range { get; }

    public ulong PageBytes { get; }

    public int Pages => (int)(Range.Length / PageBytes);

    public IMemoryAccess Access { get; }

    public IMemoryAccess OpenAccess() => _engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor");

    public AddressRange PagesAt(int page, int count = 1) => Range.Slice((ulong)page * PageBytes, (ulong)count * PageBytes);

    public void Store(int page, ulong value) => Store(Access, page, value);

    public void Store(IMemoryAccess access, int page, ulong value) => Assert.Equal(AccessFault.None, access.Store(PagesAt(page).Start, value).Fault);

    public ulong Load(int page)
    {
        Assert.Equal(AccessFault.None, Access.Load(PagesAt(page).Start, out ulong value).Fault);
        return value;
    }

    public void Dispose()
    {
        Access.Dispose();
        _engine.Home.Unmap(Range).OrThrow("munmap", Range);
        _file?.Dispose();
    }
}
