using System;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>
/// Memory of one of the kinds that can be write-protected, with an accessor whose faults are real: of the program's own, or served by a pager from an
/// image. The first word of every page is zero to begin with.
/// </summary>
public sealed class TrackedMemory : IDisposable
{
    private const UserfaultfdFeatures Needed = UserfaultfdFeatures.MissingShmem | UserfaultfdFeatures.MinorShmem | UserfaultfdFeatures.Poison;

    private readonly IMemoryEngine _engine;
    private readonly IMemoryFile? _file;
    private readonly Pager? _pager;

    public TrackedMemory(
        IMemoryEngine engine,
        MemorySort sort,
        int pages,
        bool populated = true,
        MemoryOwner owner = MemoryOwner.Program,
        DirtyTracking tracking = DirtyTracking.Synchronous)
    {
        Assert.SkipUnless(engine.Capabilities.KernelFaults.IsAvailable, engine.Capabilities.KernelFaults.Reason);
        bool isHuge = sort is MemorySort.HugetlbShared or MemorySort.HugetlbPrivate;
        Assert.SkipUnless(!isHuge || engine.Capabilities.HugePages.IsAvailable, engine.Capabilities.HugePages.Reason);
        _engine = engine;
        PageBytes = isHuge ? PageSize.Huge : PageSize.Small;
        ulong length = (ulong)pages * PageBytes;
        _pager = owner == MemoryOwner.Pager ? new Pager(engine) : null;
        Image = _pager?.OpenImage(new MemoryPageStore(Contents(length, PageBytes)));
        bool isShared = sort is MemorySort.ShmemShared or MemorySort.HugetlbShared;
        var request = MapRequest.PrivateAnonymous(length);
        if (sort != MemorySort.Anonymous)
        {
            if (isHuge || Image is null)
            {
                _file = engine.CreateMemoryFile(new() { Name = "tracked", Size = length, HugePages = isHuge }).OrThrow("memfd_create");
            }

            IMemoryFile file = _file ?? Image!.File;
            request = isShared ? MapRequest.SharedFile(file, length) : MapRequest.PrivateFile(file, length);
        }

        SystemResult<VirtualAddress> mapped = engine.Home.Map(in request);
        Assert.SkipUnless(mapped.Errno != Errno.ENOMEM || !isHuge, "The pool has no free huge pages: sysctl vm.nr_hugepages.");
        Range = new AddressRange(mapped.OrThrow("mmap"), length);
        if (_pager is not null)
        {
            UserfaultfdFeatures wanted = tracking == DirtyTracking.Asynchronous ? Needed | UserfaultfdFeatures.WriteProtectAsync : Needed;
            Client = _pager.Attach(UserfaultfdHandshake.Open(engine.Home, wanted).OrThrow("userfaultfd"));
            RegionKind kind = isHuge || sort == MemorySort.Anonymous ? RegionKind.Copied : isShared ? RegionKind.SharedImage : RegionKind.PrivateImage;
            Client.AddRegion(Range, Image!, 0, kind, PageBytes);
        }

        Access = OpenAccess();
        if (populated)
        {
            engine.Home.Advise(Range, _pager is null ? Advice.PopulateWrite : Advice.PopulateRead).OrThrow("MADV_POPULATE", Range);
        }
    }

    public AddressRange Range { get; }

    public ulong PageBytes { get; }

    public int Pages => (int)(Range.Length / PageBytes);

    public IMemoryAccess Access { get; }

    /// <summary>What a pager serves it from.</summary>
    public PagedImage? Image { get; }

    public PagerClient? Client { get; }

    /// <summary>The byte of an image at an offset: every page but each fifth has some, behind its first word.</summary>
    public static byte ByteAt(ulong offset, ulong pageBytes) =>
        offset / pageBytes % 5 == 4 || offset % pageBytes < 8 ? (byte)0 : (byte)((offset * 31) + (offset / pageBytes));

    public IMemoryAccess OpenAccess() => _engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor");

    public IDirtyTracker Track(DirtyTracking tracking) => Client is null
        ? DirtyTracker.Start(_engine, _engine.Home, Range, tracking)
        : DirtyTracker.Start(Client, _engine.Home, Range);

    public MemorySnapshot Freeze(MemorySnapshotOptions? options = null) => Client is null
        ? MemorySnapshot.Take(_engine, _engine.Home, Range, options)
        : MemorySnapshot.Take(Client, _engine.Home, Range, options);

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
        _pager?.Dispose();
        _file?.Dispose();
    }

    private static byte[] Contents(ulong length, ulong pageBytes)
    {
        byte[] contents = new byte[length];
        for (int i = 0; i < contents.Length; i++)
        {
            contents[i] = ByteAt((ulong)i, pageBytes);
        }

        return contents;
    }
}
