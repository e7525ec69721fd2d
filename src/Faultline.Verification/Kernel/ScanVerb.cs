using System;
using System.Globalization;
using System.Text;

namespace Faultline.Verification.Kernel;

/// <summary>
/// PAGEMAP_SCAN. The masks are packed into <see cref="Step.Mode"/>: nine bits each for inverted, mask, any-of and return; the flags are in
/// <see cref="Step.Value"/>, the most pages in <see cref="Step.Other"/>, and a context number of 1 asks without a list.
/// </summary>
internal static class ScanVerb
{
    private const int Bits = 9;
    private const ulong All = (1 << Bits) - 1;

    public static StepOutcome Run(EngineSide side, in Step step)
    {
        if (side.Spaces[step.Space] is not { } space)
        {
            return default;
        }

        PagemapScanRequest request = new()
        {
            Range = step.Range,
            Flags = (PagemapScanFlags)step.Value,
            MaxPages = (ulong)step.Other,
            Inverted = Categories(step.Mode, 0),
            Mask = Categories(step.Mode, 1),
            AnyOf = Categories(step.Mode, 2),
            Return = Categories(step.Mode, 3),
        };
        Span<PageRegion> regions = new PageRegion[step.Context == 1 ? 0 : 6];
        PagemapScanResult result = space.Inspector.Scan(in request, regions);
        if (!result.IsOk)
        {
            return StepOutcome.Of(result.Errno);
        }

        StringBuilder text = new StringBuilder("to ").Append(Arena.Name(result.WalkEnd));
        foreach (PageRegion region in regions[..result.Count])
        {
            text.Append(CultureInfo.InvariantCulture, $" {Arena.Name(region.Range.Start)}..{Arena.Name(region.Range.End)}:{(ulong)region.Categories:x}");
        }

        return StepOutcome.Of(Errno.None, result.Count, 0, text.ToString());
    }

    public static ulong Pack(ulong inverted, ulong mask, ulong anyOf, ulong returned) =>
        inverted | (mask << Bits) | (anyOf << (2 * Bits)) | (returned << (3 * Bits));

    private static PageCategories Categories(ulong mode, int index) => (PageCategories)((mode >> (index * Bits)) & All);
}
