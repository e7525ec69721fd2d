namespace Faultline.Mm;

/// <summary>What all address spaces and files of one engine share.</summary>
internal sealed class MmSystem
{
    public MmSystem(FolioPool pool, MemoryGroup group, SwapArea swap, int mappingLimit)
    {
        Pool = pool;
        Swap = swap;
        Group = group;
        MappingLimit = mappingLimit;
    }

    public FolioPool Pool { get; }

    public PhysicalMemory Memory => Pool.Memory;

    public FolioLocks FolioLocks { get; } = new();

    public PageTableLocks TableLocks { get; } = new();

    public OwnerTable Owners { get; } = new();

    public SwapArea Swap { get; }

    /// <summary>What memory is charged to.</summary>
    public MemoryGroup Group { get; }

    /// <summary>The most mappings an address space may have (Linux: <c>vm.max_map_count</c>).</summary>
    public int MappingLimit { get; }
}
