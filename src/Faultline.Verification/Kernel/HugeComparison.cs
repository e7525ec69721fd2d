using System;
using System.Collections.Generic;
using System.Globalization;

namespace Faultline.Verification.Kernel;

/// <summary>Compares what two engines show of the area for huge pages.</summary>
internal static class HugeComparison
{
    /// <summary>Compares entries and categories.</summary>
    /// <returns>Null, or what differs: a name, the kernel's and the managed engine's.</returns>
    public static (string What, string Linux, string Managed)? Compare(HugeView linux, HugeView managed)
    {
        for (int space = 0; space < Arena.Spaces; space++)
        {
            PagemapEntry[] left = linux.Entries[space];
            PagemapEntry[] right = managed.Entries[space];
            for (int i = 0; i < left.Length; i++)
            {
                if (left[i] != right[i] && ObservationComparison.Masked(left[i]) != ObservationComparison.Masked(right[i]))
                {
                    return (Name("pagemap of", space, i), ObservationComparison.Describe(left[i]), ObservationComparison.Describe(right[i]));
                }
            }

            if (CompareRegions(linux.Regions[space], managed.Regions[space]) is { } regions)
            {
                return regions;
            }
        }

        return null;
    }

    /// <summary>Reads and compares mappings and the sampled contents.</summary>
    public static (string What, string Linux, string Managed)? CompareClosely(
        EngineSide linux, EngineSide managed, SideObservation linuxSeen, SideObservation managedSeen)
    {
        linuxSeen.HugeArea.LookClosely(linux);
        managedSeen.HugeArea.LookClosely(managed);
        for (int space = 0; space < Arena.Spaces; space++)
        {
            IReadOnlyList<VmaInfo> left = MappingsOf(linux.Spaces[space]);
            IReadOnlyList<VmaInfo> right = MappingsOf(managed.Spaces[space]);
            if (ObservationComparison.CompareMappings(left, right, linuxSeen.Unsettled) is { } mappings)
            {
                return mappings;
            }

            ulong[] leftContents = linuxSeen.HugeArea.Contents[space];
            ulong[] rightContents = managedSeen.HugeArea.Contents[space];
            for (int i = 0; i < leftContents.Length; i++)
            {
                if (leftContents[i] != rightContents[i])
                {
                    int index = ((i / HugeView.Samples.Length) * Arena.HugePage) + HugeView.Samples[i % HugeView.Samples.Length];
                    return (Name("contents of", space, index), Hex(leftContents[i]), Hex(rightContents[i]));
                }
            }
        }

        return null;
    }

    private static IReadOnlyList<VmaInfo> MappingsOf(IAddressSpace? space) => space?.Inspector.GetMappings(Arena.HugeRange).Value ?? [];

    private static (string What, string Linux, string Managed)? CompareRegions(List<PageRegion> linux, List<PageRegion> managed)
    {
        for (int i = 0; i < Math.Max(linux.Count, managed.Count); i++)
        {
            PageRegion left = i < linux.Count ? linux[i] : default;
            PageRegion right = i < managed.Count ? managed[i] : default;
            if (left != right)
            {
                return (string.Create(CultureInfo.InvariantCulture, $"categories {i}"), Describe(left), Describe(right));
            }
        }

        return null;
    }

    private static string Describe(PageRegion region) => region.Range.Length == 0
        ? "none"
        : $"{Arena.Name(region.Range.Start)}..{Arena.Name(region.Range.End)} {region.Categories}";

    private static string Hex(ulong value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture);

    private static string Name(string what, int space, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"{what} p{Arena.HugeFirst + index}{(space == 0 ? string.Empty : $" of space {space}")}");
}
