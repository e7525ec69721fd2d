using System;

namespace Faultline.Verification.Kernel;

/// <summary>Chooses places and lengths in the area for huge pages, where most of what is not a multiple of a huge page does little.</summary>
internal static class HugeChoices
{
    private static readonly Advice[] Advices =
    [
        Advice.HugePage, Advice.HugePage, Advice.NoHugePage, Advice.Collapse, Advice.Collapse, Advice.Collapse, Advice.DontNeed, Advice.DontNeed, Advice.Remove,
        Advice.PopulateRead, Advice.PopulateWrite, Advice.Free, Advice.GuardInstall, Advice.GuardRemove, Advice.Cold, Advice.DontFork,
    ];

    public static bool IsAbout(ProgramProfile profile) => profile is ProgramProfile.Hugetlb or ProgramProfile.HugePages;

    /// <summary>A place in a mapping of the area, or for mapping anew anywhere in it.</summary>
    public static Step Place(in Step step, VmaInfo mapping, MapKind? kind, ref SplitMix random)
    {
        int start = Arena.PageOf(mapping.Range.Start);
        int count = (int)(mapping.Range.Length >> PageSize.SmallShift);
        int slots = Math.Max((count + Arena.HugePage - 1) / Arena.HugePage, 1);
        int slot = start + (Arena.HugePage * random.Below(slots));
        bool isWhole = random.Percent(kind is { } known && known.IsHugetlb() ? 90 : 30);
        if (step.Verb is StepVerb.Load or StepVerb.Store or StepVerb.KernelRead or StepVerb.KernelWrite || !isWhole)
        {
            return step with { Page = slot + Sample(ref random), Pages = 1 + random.Below(4) };
        }

        return step with { Page = slot, Pages = Arena.HugePage * (1 + random.Below(Math.Min(slots, 3))) };
    }

    public static Step Map(in Step step, ProgramProfile profile, PairRun run, ref SplitMix random)
    {
        int slot = random.Below(Arena.HugeSlots);
        Step map = step with
        {
            Page = Arena.HugeFirst + (Arena.HugePage * slot),
            Pages = Arena.HugePage * Math.Min(1 + random.Below(3), Arena.HugeSlots - slot),
            Value = random.One<ulong>([3, 3, 3, 3, 3, 1]),
            Skew = 0,
            Tail = 0,
        };
        if (profile == ProgramProfile.Hugetlb)
        {
            var kind = (MapKind)((int)MapKind.HugetlbShared + random.Below(4));
            return map with { Mode = (ulong)kind, File = HugeFile(run, step.File), Other = kind.IsFile() && random.Percent(25) ? Arena.HugePage : 0 };
        }

        if (random.Percent(15))
        {
            map = map with { Page = map.Page + 17, Pages = map.Pages - 17 };
        }

        return map with { Mode = random.One<ulong>([0, 0, 0, 0, 1, 2, 2, 3]) };
    }

    public static Step Remap(in Step step, PairRun run, ref SplitMix random)
    {
        Step remap = step with
        {
            Value = (ulong)(step.Pages % Arena.HugePage == 0 ? Arena.HugePage * random.Below(4) : step.Pages),
            Mode = random.One<ulong>([0, 3, 3, 3, 3, 7, 7]),
            Other = Arena.HugeFirst + (Arena.HugePage * random.Below(Arena.HugeSlots)) + (step.Pages % Arena.HugePage == 0 ? 0 : Sample(ref random)),
        };

        // The kernel loses what it has reserved for a private mapping if a part of it moves, and the machine's pool is the smaller for good.
        return HasPrivateHugetlb(in step, run) ? remap with { Value = (ulong)step.Pages, Mode = 0 } : remap;
    }

    public static Step File(in Step step, ref SplitMix random) => step with
    {
        Page = Arena.HugePage * random.Below(3),
        Pages = step.Verb is StepVerb.Truncate or StepVerb.MakeFile ? Arena.HugePage * random.Below(4)
            : step.Verb is StepVerb.FileRead ? 1
            : random.Percent(80) ? Arena.HugePage * (1 + random.Below(2))
            : 1 + random.Below(3),
        Skew = 0,
        Tail = random.Percent(6) ? random.Below(4096) : 0,
        Value = step.Verb == StepVerb.FileWrite ? 1 + (ulong)random.Below(200) : 0,
        Mode = step.Verb == StepVerb.MakeFile ? 1UL : 0,
        Space = 0,
    };

    public static Advice ChooseAdvice(ref SplitMix random) => random.One<Advice>(Advices);

    /// <summary>Scans look at what is there only: whether absent pages count as written depends on empty page tables.</summary>
    public static ulong ScanMasks(ref SplitMix random)
    {
        const ulong Present = (ulong)PageCategories.Present;
        return ScanVerb.Pack(0, Present | (random.Percent(40) ? (ulong)PageCategories.Written : 0), 0, 0x13F & ~0x80UL);
    }

    public static int Sample(ref SplitMix random) => HugeView.Samples[random.Below(HugeView.Samples.Length)];

    private static bool HasPrivateHugetlb(in Step step, PairRun run)
    {
        for (int page = step.Page; page < step.Page + step.Pages; page++)
        {
            if (run.KindOf(page) is MapKind.HugetlbPrivate or MapKind.HugetlbPrivateFile)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The file asked for, or another that is of huge pages.</summary>
    private static int HugeFile(PairRun run, int file)
    {
        IMemoryFile?[] files = run.Managed.Files;
        for (int i = 0; i < Arena.Files; i++)
        {
            int candidate = (file + i) % Arena.Files;
            if (files[candidate] is { PageSizeBytes: PageSize.Huge })
            {
                return candidate;
            }
        }

        return file;
    }
}
