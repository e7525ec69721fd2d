using System;
using System.Collections.Generic;
using System.Globalization;

namespace Faultline.Verification.Kernel;

/// <summary>Compares what two engines show. What may differ is masked here, and nowhere else.</summary>
internal static class ObservationComparison
{
    // Bits 55 (soft-dirty, not built into every kernel) and 0 to 54 (frame numbers, swap slots) are the engine's own business.
    private const ulong ComparedBits = 0xFF00_0000_0000_0000 & ~(1UL << 60) & ~(1UL << 59);

    // The "swap type" that stands for a marker: then the rest of the entry says which marker it is.
    private const ulong TypeMask = 0x1F;
    private const ulong MarkerType = 0x1F;

    /// <summary>Compares what <see cref="Observer.Look"/> saw.</summary>
    /// <returns>Null, or what differs: a name, the kernel's and the managed engine's.</returns>
    public static (string What, string Linux, string Managed)? Compare(SideObservation linux, SideObservation managed)
    {
        for (int space = 0; space < Arena.Spaces; space++)
        {
            PagemapEntry[] left = linux.Pagemaps[space];
            PagemapEntry[] right = managed.Pagemaps[space];
            for (int page = 0; page < left.Length; page++)
            {
                if (left[page] != right[page] && Masked(left[page]) != Masked(right[page]))
                {
                    return (Name("pagemap of", space, page), Describe(left[page]), Describe(right[page]));
                }
            }
        }

        for (int file = 0; file < Arena.Files; file++)
        {
            if (linux.Files[file] != managed.Files[file])
            {
                return (Name("status of file", file), linux.Files[file].ToString(), managed.Files[file].ToString());
            }
        }

        return null;
    }

    /// <summary>Compares what <see cref="Observer.LookClosely"/> saw.</summary>
    public static (string What, string Linux, string Managed)? CompareClosely(SideObservation linux, SideObservation managed)
    {
        for (int space = 0; space < Arena.Spaces; space++)
        {
            if (linux.Counters[space] != managed.Counters[space])
            {
                return (Name("resident counters of space", space), linux.Counters[space].ToString(), managed.Counters[space].ToString());
            }

            if (CompareMappings(linux.Mappings[space], managed.Mappings[space], linux.Unsettled) is { } mappings)
            {
                return mappings;
            }

            for (int page = 0; page < Arena.Pages; page++)
            {
                if (linux.Contents[space][page] != managed.Contents[space][page])
                {
                    return (Name("contents of", space, page), Hex(linux.Contents[space][page]), Hex(managed.Contents[space][page]));
                }
            }
        }

        for (int file = 0; file < Arena.Files; file++)
        {
            ReadOnlySpan<byte> left = linux.FileBytes[file].AsSpan(0, linux.FileLengths[file]);
            ReadOnlySpan<byte> right = managed.FileBytes[file].AsSpan(0, managed.FileLengths[file]);
            int common = left.CommonPrefixLength(right);
            if (common < left.Length || common < right.Length)
            {
                return (Name("byte", common) + Name(" of file", file), At(left, common), At(right, common));
            }
        }

        return null;
    }

    /// <summary>Compares the contents of a few pages that <see cref="Observer.LookAt"/> read.</summary>
    public static (string What, string Linux, string Managed)? CompareContents(SideObservation linux, SideObservation managed, int space, int first, int end)
    {
        for (int page = first; page < end; page++)
        {
            if (linux.Contents[space][page] != managed.Contents[space][page])
            {
                return (Name("contents of", space, page), Hex(linux.Contents[space][page]), Hex(managed.Contents[space][page]));
            }
        }

        return null;
    }

    /// <summary>An entry in words.</summary>
    public static string Describe(PagemapEntry entry)
    {
        var words = new List<string>();
        Add(words, entry.IsPresent, "present");
        Add(words, entry.IsSwap, IsMarker(entry) ? string.Create(CultureInfo.InvariantCulture, $"marker {entry.FrameOrSwap >> 5:x}") : "swap");
        Add(words, entry.IsFile, "file");
        Add(words, entry.IsGuard, "guard");
        Add(words, entry.IsUserfaultfdWriteProtected, "write-protected");
        Add(words, entry.IsExclusive, "exclusive");
        return words.Count == 0 ? "none" : string.Join(' ', words);
    }

    /// <summary>Compares mappings with all their counts.</summary>
    public static (string What, string Linux, string Managed)? CompareMappings(
        IReadOnlyList<VmaInfo> linux, IReadOnlyList<VmaInfo> managed, Unsettled unsettled)
    {
        for (int i = 0; i < Math.Max(linux.Count, managed.Count); i++)
        {
            VmaInfo left = i < linux.Count ? Visible(linux[i], unsettled) : default;
            VmaInfo right = i < managed.Count ? Visible(managed[i], unsettled) : default;
            if (left != right)
            {
                return (Name("mapping", i), Describe(left), Describe(right));
            }
        }

        return null;
    }

    /// <summary>Whether pages that come back from swap into a mapping may be clean or dirty.</summary>
    public static bool MayBeBetween(VmaInfo mapping) => mapping.IsLocked || (mapping.RegisteredModes & RegisterModes.WriteProtect) != 0;

    // Proportions depend on who else maps the page, and are rounded. A page that comes back from swap into locked memory to be read, or is protected and to be
    // written to, is dirty, unless the writing of it has not ended yet (folio_free_swap), which nobody decides.
    private static VmaInfo Visible(VmaInfo mapping, Unsettled unsettled) =>
        unsettled == Unsettled.All || (unsettled == Unsettled.LockedAndProtected && MayBeBetween(mapping))
        ? mapping with
        {
            ProportionalResident = 0,
            PrivateClean = 0,
            PrivateDirty = mapping.PrivateClean + mapping.PrivateDirty,
            SharedClean = 0,
            SharedDirty = mapping.SharedClean + mapping.SharedDirty,
        }
        : mapping with { ProportionalResident = 0 };

    private static string Describe(VmaInfo mapping) => mapping.Range.Length == 0
        ? "none"
        : $"{Arena.Name(mapping.Range.Start)}..{Arena.Name(mapping.Range.End)} {mapping.Protection}{(mapping.IsShared ? " shared" : string.Empty)}"
            + $"{(mapping.IsLocked ? " locked" : string.Empty)} offset {mapping.FileOffset:x} registered {mapping.RegisteredModes} resident {mapping.Resident >> 12}"
            + $" anonymous {mapping.Anonymous >> 12} swap {mapping.Swap >> 12} shared {mapping.SharedClean >> 12}+{mapping.SharedDirty >> 12} dirty"
            + $" private {mapping.PrivateClean >> 12}+{mapping.PrivateDirty >> 12} dirty"
            + (mapping.AnonymousHuge + mapping.ShmemHuge == 0 ? string.Empty : $" huge {mapping.AnonymousHuge >> 12}+{mapping.ShmemHuge >> 12} shmem")
            + (mapping.SharedHugetlb + mapping.PrivateHugetlb == 0
                ? string.Empty
                : $" hugetlb shared {mapping.SharedHugetlb >> 12} private {mapping.PrivateHugetlb >> 12}");

    /// <summary>What of an entry is compared.</summary>
    public static ulong Masked(PagemapEntry entry) =>
        (entry.Value & ComparedBits) | (IsMarker(entry) ? entry.FrameOrSwap : 0);

    internal static bool IsMarker(PagemapEntry entry) => entry.IsSwap && (entry.Value & TypeMask) == MarkerType;

    private static void Add(List<string> words, bool condition, string word)
    {
        if (condition)
        {
            words.Add(word);
        }
    }

    private static string At(ReadOnlySpan<byte> bytes, int index) => index < bytes.Length ? Hex(bytes[index]) : "end of file";

    private static string Hex(ulong value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture);

    private static string Name(string what, int number) => string.Create(CultureInfo.InvariantCulture, $"{what} {number}");

    private static string Name(string what, int space, int page) =>
        string.Create(CultureInfo.InvariantCulture, $"{what} p{page}{(space == 0 ? string.Empty : $" of space {space}")}");
}
