using System;
using System.Threading;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>What all address spaces and files of one engine share.</summary>
internal sealed class MmSystem : IDisposable
{
    public MmSystem(FolioPool pool, MemoryGroup group, SwapArea swap, int mappingLimit, int hugePages)
    {
        Pool = pool;
        Hugetlb = new HugetlbPool(pool, hugePages);
        HugeZero = new HugeZeroFolio(pool);
        Swap = swap;
        Group = group;
        MappingLimit = mappingLimit;
    }

    /// <summary>Where the end of the engine waits for the last address space.</summary>
    private readonly Parker _quiet = new();

    /// <summary>Address spaces whose mappings are not down yet. Guard: atomic.</summary>
    private int _liveStates;

    private int _isDisposed;

    private bool _hasLazilyFreed;

    /// <summary>Whether the engine has ended: there is no memory to look at any more.</summary>
    public bool IsDisposed => Volatile.Read(ref _isDisposed) != 0;

    public FolioPool Pool { get; }

    public PhysicalMemory Memory => Pool.Memory;

    public FolioLocks FolioLocks { get; } = new();

    public PageTableLocks TableLocks { get; } = new();

    public OwnerTable Owners { get; } = new();

    /// <summary>What a checker has put in the place of steps of a fill; null in production.</summary>
    public FillSteps? Steps { get; set; }

    /// <summary>The huge pages that were set aside.</summary>
    public HugetlbPool Hugetlb { get; }

    public HugeZeroFolio HugeZero { get; }

    public HugetlbFaultLocks HugetlbFaultLocks { get; } = new();

    public SwapArea Swap { get; }

    /// <summary>Whether pages were ever given up (MADV_FREE): only then is there something to reclaim without swap.</summary>
    public bool HasLazilyFreed
    {
        get => Volatile.Read(ref _hasLazilyFreed);
        set => Volatile.Write(ref _hasLazilyFreed, value);
    }

    /// <summary>What memory is charged to.</summary>
    public MemoryGroup Group { get; }

    /// <summary>Which memory gets huge pages when it is first written to.</summary>
    public TransparentHugePages TransparentHugePages { get; init; } = TransparentHugePages.Madvise;

    /// <summary>The most mappings an address space may have (Linux: <c>vm.max_map_count</c>).</summary>
    public int MappingLimit { get; }

    public void Dispose()
    {
        Memory.Dispose();
        _quiet.Dispose();
    }

    public void StateCreated() => Interlocked.Increment(ref _liveStates);

    public void StateGone()
    {
        if (Interlocked.Decrement(ref _liveStates) == 0)
        {
            _quiet.Unpark();
        }
    }

    /// <summary>Waits until the mappings of every address space are down: the calls that were inside have left.</summary>
    public void Quiesce()
    {
        while (Volatile.Read(ref _liveStates) != 0)
        {
            _quiet.Park();
        }

        Volatile.Write(ref _isDisposed, 1);
    }
}
