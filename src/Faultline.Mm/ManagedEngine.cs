using System.Collections.Generic;
using System.Linq;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// The managed memory manager: Linux' memory management with userfaultfd, in this process, on any operating system and without privileges.
/// </summary>
/// <remarks>All members are safe for concurrent callers.</remarks>
public sealed class ManagedEngine : IMemoryEngine
{
    private readonly RankedLock _lock = new(LockRank.MmEngine);

    /// <summary>Guard: <see cref="_lock"/>.</summary>
    private readonly HashSet<AddressSpace> _spaces = [];

    private readonly AddressSpace _home;
    private readonly ManagedEngineOptions _options;
    private readonly Khugepaged _khugepaged;
    private readonly BackgroundReclaim? _background;
    private bool _isDisposed;

    /// <summary>Makes an engine with default options.</summary>
    public ManagedEngine()
        : this(new ManagedEngineOptions())
    {
    }

    /// <summary>Makes an engine.</summary>
    /// <param name="options">How.</param>
    /// <exception cref="MemoryEngineException">The memory is too small for the first page table.</exception>
    public ManagedEngine(ManagedEngineOptions options)
    {
        _options = options;
        var memory = new PhysicalMemory(options.MemoryBytes, options.GuardsMemory);
        ulong limit = options.MemoryLimitBytes == 0 ? options.MemoryBytes : options.MemoryLimitBytes;
        var group = new MemoryGroup(id: 1, (long)(limit >> PageSize.SmallShift));
        var pool = new FolioPool(memory, [group]);
        System = new MmSystem(pool, group, new SwapArea(options.Swap), options.MappingLimit, options.HugePages)
        {
            TransparentHugePages = options.TransparentHugePages,
        };
        pool.Reclaim = wanted => Reclaimer.TryFree(System, wanted);
        if (options.ReclaimsInBackground && options.MemoryLimitBytes != 0 && options.Swap is not null)
        {
            _background = new BackgroundReclaim(Watermarks.Of(group.LimitPages), () => group.ChargedPages, pool.Reclaim);
            pool.Charged = _background.OnCharged;
        }

        InstallRule = options.InstallRule == InstallRuleVersion.Review2021 ? PteInstallRule.Review2021 : PteInstallRule.Linux618;
        MmState home = NewState() ?? throw new MemoryEngineException("Creating the managed engine", default, Errno.ENOMEM, "Give it more memory.");
        _home = new AddressSpace(this, home, isHome: true);
        _spaces.Add(_home);
        Capabilities = DescribeCapabilities();
        _khugepaged = new Khugepaged(options.Khugepaged, () => ListSpaces().Select(space => space.State));
    }

    /// <inheritdoc/>
    public string Name => "managed";

    /// <inheritdoc/>
    public EngineCapabilities Capabilities { get; }

    /// <inheritdoc/>
    public IAddressSpace Home => _home;

    internal MmSystem System { get; }

    internal PteInstallRule InstallRule { get; init; }

    /// <inheritdoc/>
    public SystemResult<IAddressSpace> CreateAddressSpace()
    {
        MmState? mm = NewState();
        return mm is null ? new(null!, Errno.ENOMEM) : new(Adopt(mm), Errno.None);
    }

    /// <inheritdoc/>
    public SystemResult<IMemoryFile> CreateMemoryFile(in MemoryFileOptions options)
    {
        if (options.Size > long.MaxValue)
        {
            return new(null!, Errno.EINVAL);
        }

        if (options.HugePages)
        {
            return CreateHugetlbFile(in options);
        }

        var file = new ShmemFile(System, options.Name ?? string.Empty, options.Size, options.LimitBytes);
        return new(new MemoryFile(file, FileAccessRights.ReadWrite), Errno.None);
    }

    /// <inheritdoc/>
    public IUserfaultfdPoller CreatePoller() => new UserfaultfdPoller();

    /// <summary>The pool of huge pages.</summary>
    public HugePageCounts HugePages => System.Hugetlb.Counts;

    /// <summary>The frames in use: pages, page tables, the zero page, the pool of huge pages. Exact while nobody is inside a call.</summary>
    public long FramesInUse => System.Memory.FrameCount - System.Pool.AvailableFrames;

    /// <summary>Has khugepaged go over all memory once, and make huge pages where they are wanted and can be had.</summary>
    /// <returns>How many it made.</returns>
    public int ScanForHugePages() => _khugepaged.Scan();

    /// <summary>
    /// Checks the engine against itself: reference and map counts, resident sets, charges, caches and swap. Threads may sleep in faults, but
    /// nobody may be inside a call.
    /// </summary>
    /// <returns>What does not add up, in words; empty if everything does.</returns>
    public IReadOnlyList<string> FindViolations()
    {
        using RankedLock.Scope held = _background is null ? default : _background.Pause();
        SwapIo.DropOrphans(System);
        return Invariants.Check(System, ListSpaces().Select(space => space.State));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        AddressSpace[] spaces;
        using (RankedLock.Scope held = _lock.Enter())
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            spaces = [.. _spaces];
        }

        _khugepaged.Dispose();
        _background?.Dispose();
        foreach (AddressSpace space in spaces)
        {
            space.End();
        }

        // Calls that were inside are on their way out: what they hold must not be freed under them.
        System.Quiesce();
        _options.Swap?.Dispose();
        System.Dispose();
    }

    /// <summary>Takes in a new address space.</summary>
    internal AddressSpace Adopt(MmState mm)
    {
        var space = new AddressSpace(this, mm, isHome: false);
        using RankedLock.Scope held = _lock.Enter();
        _spaces.Add(space);
        return space;
    }

    internal void Forget(AddressSpace space)
    {
        using RankedLock.Scope held = _lock.Enter();
        _spaces.Remove(space);
    }

    /// <summary>The thread that reclaims, if there is one.</summary>
    internal BackgroundReclaim? Background => _background;

    /// <summary>The address spaces there are; for checks.</summary>
    internal AddressSpace[] ListSpaces()
    {
        using RankedLock.Scope held = _lock.Enter();
        return [.. _spaces];
    }

    private SystemResult<IMemoryFile> CreateHugetlbFile(in MemoryFileOptions options)
    {
        if (options.LimitBytes != 0)
        {
            return new(null!, Errno.EOPNOTSUPP);
        }

        if (options.Size % PageSize.Huge != 0)
        {
            return new(null!, Errno.EINVAL);
        }

        var file = new HugetlbFile(System, options.Name ?? string.Empty, options.Size);
        return new(new HugetlbFileHandle(file, FileAccessRights.ReadWrite), Errno.None);
    }

    private MmState? NewState()
    {
        var mm = MmState.TryCreate(System);
        mm?.TearDown = Exit.TearDown;
        return mm;
    }

    private EngineCapabilities DescribeCapabilities() => new()
    {
        Userfaultfd = Capability.Yes,
        KernelFaults = Capability.Yes,
        Features = UserfaultfdApiCall.Offered,
        ManyAddressSpaces = Capability.Yes,
        HugePages = _options.HugePages == 0
            ? Capability.No("The engine was made without huge pages: set ManagedEngineOptions.HugePages.")
            : Capability.Yes,
        Swap = _options.Swap is null ? Capability.No("The engine was made without a swap device: set ManagedEngineOptions.Swap.") : Capability.Yes,
        PagemapScan = Capability.Yes,
        LimitedFiles = Capability.Yes,
    };
}
