namespace Faultline;

/// <summary>One mapping and what it holds (<c>/proc/pid/smaps</c>). Amounts are in bytes.</summary>
public readonly record struct VmaInfo
{
    /// <summary>Its addresses.</summary>
    public AddressRange Range { get; init; }

    /// <summary>Its rights.</summary>
    public Protections Protection { get; init; }

    /// <summary>Whether stores are shared.</summary>
    public bool IsShared { get; init; }

    /// <summary>The offset in its file, in bytes.</summary>
    public ulong FileOffset { get; init; }

    /// <summary>The userfaultfd modes it is registered for (VmFlags <c>um</c>, <c>uw</c>, <c>ui</c>).</summary>
    public RegisterModes RegisteredModes { get; init; }

    /// <summary>Whether it is locked (VmFlags <c>lo</c>).</summary>
    public bool IsLocked { get; init; }

    /// <summary>Resident.</summary>
    public ulong Resident { get; init; }

    /// <summary>Resident, each page divided by the number of its mappers.</summary>
    public ulong ProportionalResident { get; init; }

    /// <summary>Mapped by others too, clean.</summary>
    public ulong SharedClean { get; init; }

    /// <summary>Mapped by others too, dirty (by the entry or by the page).</summary>
    public ulong SharedDirty { get; init; }

    /// <summary>Mapped here only, clean.</summary>
    public ulong PrivateClean { get; init; }

    /// <summary>Mapped here only, dirty (by the entry or by the page).</summary>
    public ulong PrivateDirty { get; init; }

    /// <summary>Pages of no file.</summary>
    public ulong Anonymous { get; init; }

    /// <summary>Swapped out.</summary>
    public ulong Swap { get; init; }

    /// <summary>Anonymous memory mapped by huge entries.</summary>
    public ulong AnonymousHuge { get; init; }

    /// <summary>Shmem mapped by huge entries.</summary>
    public ulong ShmemHuge { get; init; }

    /// <summary>Hugetlb pages shared with others.</summary>
    public ulong SharedHugetlb { get; init; }

    /// <summary>Hugetlb pages mapped here only.</summary>
    public ulong PrivateHugetlb { get; init; }
}
