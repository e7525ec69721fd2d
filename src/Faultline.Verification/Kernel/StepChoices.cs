using System;
using System.Collections.Generic;

namespace Faultline.Verification.Kernel;

/// <summary>Chooses the arguments of a step: mostly such that it does something, now and then bad ones.</summary>
internal sealed class StepChoices(ProgramProfile profile, GeneratorOptions options)
{
    private static readonly Advice[] Advices =
    [
        Advice.DontNeed, Advice.DontNeed, Advice.DontNeed, Advice.DontNeedLocked, Advice.Remove, Advice.Remove, Advice.PopulateRead, Advice.PopulateWrite,
        Advice.GuardInstall, Advice.GuardRemove, Advice.Normal, Advice.Random, Advice.DontFork, Advice.DoFork, Advice.WipeOnFork, Advice.KeepOnFork,
        Advice.Cold, Advice.WillNeed, Advice.Free,
    ];

    private static readonly Advice[] MarkerAdvices = [Advice.GuardInstall, Advice.GuardRemove, Advice.DontNeed, Advice.Remove, Advice.PopulateRead];

    public Step Make(StepVerb verb, PairRun run, ref SplitMix random) => StepMembers.Clean(Choose(verb, run, ref random));

    // A signal is for a sleeper whose message was read.
    private Step Interrupt(PairRun run, ref SplitMix random)
    {
        int asleep = 0;
        for (int i = 0; run.Managed.Running >> i != 0; i++)
        {
            asleep |= (run.Managed.Running >> i & 1) != 0 && run.Managed.StepOf(i).Verb is StepVerb.Load or StepVerb.Store ? 1 << i : 0;
        }

        if (asleep == 0)
        {
            return Choose(StepVerb.Load, run, ref random);
        }

        if (!run.Managed.CanInterrupt && random.Percent(80))
        {
            return Choose(StepVerb.ReadMessages, run, ref random);
        }

        int actor = random.Below(Arena.Actors);
        while ((asleep >> actor & 1) == 0)
        {
            actor = (actor + 1) % Arena.Actors;
        }

        return new Step { Verb = StepVerb.Interrupt, Actor = actor };
    }

    private Step Choose(StepVerb verb, PairRun run, ref SplitMix random)
    {
        if (verb == StepVerb.Interrupt)
        {
            return Interrupt(run, ref random);
        }

        Step step = Place(verb, run, ref random);
        return verb switch
        {
            StepVerb.Map or StepVerb.MapOver => KeepSmall(HugeChoices.IsAbout(profile) && !random.Percent(10)
                ? HugeChoices.Map(in step, profile, run, ref random)
                : Map(in step, ref random)),
            StepVerb.Protect => step with { Mode = random.One<ulong>([0, 1, 3, 3, 3, 1]) },
            StepVerb.Remap => Arena.IsHuge(step.Page) ? HugeChoices.Remap(in step, run, ref random) : Remap(in step, ref random),
            StepVerb.Advise => step with { Mode = (ulong)ChooseAdvice(ref random) },
            StepVerb.Open => step with { Mode = (ulong)Features(ref random), Value = (ulong)Ways(ref random) },
            StepVerb.Register => step with { Mode = (ulong)Modes(in step, run, ref random) },
            StepVerb.Copy => step with { Mode = FillMode(ref random), Value = 1 + (ulong)random.Below(200), Pages = Few(in step) },
            StepVerb.CopyFrom => step with { Mode = FillMode(ref random), Other = AnyPage(run, ref random) },
            StepVerb.Zeropage or StepVerb.Poison => step with { Mode = random.One<ulong>([0, 0, 0, 1, 1, 2]) },
            StepVerb.Continue => step with { Mode = FillMode(ref random) },
            StepVerb.Move => Move(in step, run, ref random),
            StepVerb.WriteProtect => step with { Mode = random.One<ulong>([1, 1, 1, 0, 0, 2, 2, 3]) },
            StepVerb.Load or StepVerb.Store or StepVerb.KernelRead or StepVerb.KernelWrite => Access(in step, ref random),
            StepVerb.MakeFile or (>= StepVerb.Truncate and <= StepVerb.FileRead) => IsHugeFile(run, in step)
                ? HugeChoices.File(in step, ref random)
                : File(in step, ref random),
            StepVerb.Scan when Arena.IsHuge(step.Page) => Scan(in step, ref random) with { Mode = HugeChoices.ScanMasks(ref random), Context = 0 },
            StepVerb.Scan => Scan(in step, ref random),
            StepVerb.ReadMessages => ContextSums.IsBlocking(run.Managed.Contexts[step.Context]) ? step : step with { Actor = 0 },
            StepVerb.Seal => step with { Mode = random.One<ulong>([1, 2, 2, 4, 4, 6, 8, 8, 16, 16, 16, 64]) },
            StepVerb.RaceMove => step with { Pages = 1, Other = AnyPage(run, ref random) },
            _ => step,
        };
    }

    private Step Place(StepVerb verb, PairRun run, ref SplitMix random)
    {
        IReadOnlyList<VmaInfo> mappings = run.Mappings;
        int first = random.Below(Arena.Pages / 2);
        int pages = 1 + random.Below(6);
        if (mappings.Count > 0 && !random.Percent(8))
        {
            VmaInfo mapping = mappings[random.Below(mappings.Count)];
            int start = Arena.PageOf(mapping.Range.Start);
            if (Arena.IsHuge(start))
            {
                return HugeChoices.Place(Usual(verb, 0, 1, run, ref random), mapping, run.KindOf(start), ref random);
            }

            int count = (int)(mapping.Range.Length >> PageSize.SmallShift);
            first = random.Percent(30) ? start : start + random.Below(count);
            pages = random.Below(10) switch
            {
                0 => count,
                1 => count + 2,
                2 or 3 => Math.Max(count - (first - start), 1),
                _ => 1 + random.Below(Math.Min(count, 4)),
            };
            if (verb <= StepVerb.WriteProtect && random.Percent(10))
            {
                first -= 1;
            }
        }

        return Usual(verb, first, Math.Min(pages, 24), run, ref random);
    }

    private Step Usual(StepVerb verb, int page, int pages, PairRun run, ref SplitMix random)
    {
        int badness = profile == ProgramProfile.BadArguments ? 20 : 2;
        return new Step
        {
            Verb = verb,
            Page = page,
            Pages = pages,
            Context = random.Percent(75) ? 0 : random.Below(Arena.Contexts),
            File = random.Percent(70) ? 0 : random.Below(Arena.Files),
            Actor = random.Below(Arena.Actors),
            Space = run.Managed.Spaces[1] is not null && random.Percent(40) ? 1 : 0,
            Skew = random.Percent(badness) ? random.One<int>([1, 8, 2048, -1]) : 0,
            Tail = random.Percent(badness) ? random.One<int>([1, -1, 100, -4096]) : 0,
        };
    }

    private Step Map(in Step step, ref SplitMix random)
    {
        MapKind kind = profile switch
        {
            ProgramProfile.Missing or ProgramProfile.Move when random.Percent(80) => MapKind.Anonymous,
            ProgramProfile.SharedFile when random.Percent(80) => MapKind.SharedFile,
            ProgramProfile.PrivateFile when random.Percent(80) => MapKind.PrivateFile,
            _ => (MapKind)random.Below(4),
        };
        return step with
        {
            Mode = (ulong)kind,
            Value = random.One<ulong>([3, 3, 3, 3, 3, 1, 0]),
            Pages = 1 + random.Below(10),
            Other = kind >= MapKind.SharedFile && random.Percent(25) ? random.Below(4) : 0,
        };
    }

    private static Step Remap(in Step step, ref SplitMix random) => step with
    {
        Value = (ulong)(random.Percent(60) ? Math.Min(step.Pages, 8) : random.Below(10)),
        Mode = random.One<ulong>([0, 3, 3, 3, 3, 7, 7]),
        Other = random.Below(Arena.Pages - 16),
    };

    private Advice ChooseAdvice(ref SplitMix random)
    {
        if (profile == ProgramProfile.Markers)
        {
            return random.One<Advice>(MarkerAdvices);
        }

        if (profile == ProgramProfile.HugePages && random.Percent(80))
        {
            return HugeChoices.ChooseAdvice(ref random);
        }

        if (options.WithSwap && random.Percent(profile == ProgramProfile.Swap ? 50 : 8))
        {
            return Advice.PageOut;
        }

        return random.One<Advice>(Advices);
    }

    private OpenWays Ways(ref SplitMix random) =>
        (random.Percent(profile == ProgramProfile.Sleepers ? 30 : 15) ? OpenWays.UserModeOnly : OpenWays.None)
        | (random.Percent(profile == ProgramProfile.Sleepers ? 15 : 4) ? OpenWays.Blocking : OpenWays.None);

    private UserfaultfdFeatures Features(ref SplitMix random)
    {
        UserfaultfdFeatures features = 0;
        features |= random.Percent(30) ? UserfaultfdFeatures.ThreadId : 0;
        features |= random.Percent(20) ? UserfaultfdFeatures.ExactAddress : 0;
        features |= random.Percent(40) ? UserfaultfdFeatures.WriteProtectUnpopulated : 0;
        int events = profile is ProgramProfile.Events or ProgramProfile.Fork ? 70 : 6;
        features |= random.Percent(events) ? UserfaultfdFeatures.EventRemove : 0;
        features |= random.Percent(events) ? UserfaultfdFeatures.EventUnmap : 0;
        features |= random.Percent(events) ? UserfaultfdFeatures.EventRemap : 0;
        features |= random.Percent(events) ? UserfaultfdFeatures.EventFork : 0;
        features |= random.Percent(profile == ProgramProfile.SigBus ? 90 : 15) ? UserfaultfdFeatures.SigBus : 0;
        features |= random.Percent(profile is ProgramProfile.Scan ? 60 : 8) ? UserfaultfdFeatures.WriteProtectAsync : 0;
        return random.Percent(1) ? (UserfaultfdFeatures)(1UL << 40) : features;
    }

    private RegisterModes Modes(in Step step, PairRun run, ref SplitMix random)
    {
        bool isAnonymous = run.KindOf(step.Page) is null or MapKind.Anonymous or MapKind.HugetlbPrivate;
        return profile switch
        {
            ProgramProfile.WriteProtect or ProgramProfile.Scan when random.Percent(70) =>
                random.One<RegisterModes>([RegisterModes.WriteProtect, RegisterModes.WriteProtect | RegisterModes.Missing]),
            ProgramProfile.Missing or ProgramProfile.Move when random.Percent(80) => RegisterModes.Missing,
            _ when isAnonymous && random.Percent(80) => (RegisterModes)(1 + random.Below(3)),
            _ => (RegisterModes)(random.Percent(4) ? random.Below(16) : 1 + random.Below(7)),
        };
    }

    private static ulong FillMode(ref SplitMix random) => random.One<ulong>([0, 0, 0, 0, 1, 2, 2, 3, 4]);

    private static Step Move(in Step step, PairRun run, ref SplitMix random) =>
        step with { Other = AnyPage(run, ref random), Mode = random.One<ulong>([0, 0, 0, 1, 2, 2, 3, 4]), Pages = Few(in step) };

    // Each actor writes words of its own, so that it does not matter who comes first when several are woken at once; the words at the border of two
    // pages are actor 0's.
    private static Step Access(in Step step, ref SplitMix random)
    {
        const int Word = sizeof(ulong);
        int skew = Word * (1 + step.Actor + (Arena.Actors * (random.Percent(50) ? 0 : random.Below(169))));
        int length = random.Percent(50) ? (int)PageSize.Small + random.Below(64) : 1 + random.Below(64);
        if (step.Verb == StepVerb.KernelWrite)
        {
            length = Word;
            if (step.Actor == 0 && random.Percent(30))
            {
                skew = (int)PageSize.Small - Word;
                length = 2 * Word;
            }
        }

        return step with
        {
            Pages = 1,
            Skew = skew,
            Tail = step.Verb is StepVerb.KernelRead or StepVerb.KernelWrite ? length - (int)PageSize.Small : 0,
            Value = step.Verb is StepVerb.Store or StepVerb.KernelWrite ? 1 + (ulong)random.Below(1 << 20) : 0,
        };
    }

    private static Step File(in Step step, ref SplitMix random) => step with
    {
        Page = random.Below(Arena.FilePages - 4),
        Pages = step.Verb is StepVerb.Truncate or StepVerb.MakeFile ? random.Below(Arena.FilePages) : 1 + random.Below(3),
        Skew = step.Verb is StepVerb.Truncate or StepVerb.MakeFile || !random.Percent(15) ? 0 : random.Below(4096),
        Tail = random.Percent(15) ? random.Below(4096) : 0,
        Value = step.Verb == StepVerb.FileWrite ? 1 + (ulong)random.Below(200) : 0,
        Space = 0,
    };

    private static Step Scan(in Step step, ref SplitMix random) => step with
    {
        Mode = ScanVerb.Pack(
            random.Percent(60) ? 0 : Few(ref random), random.Percent(60) ? 0 : Few(ref random), random.Percent(60) ? 0 : Few(ref random), 0x13F & ~0x80UL),
        Value = random.One<ulong>([0, 0, 0, 1, 1, 3, 2, 4]),
        Other = random.Percent(70) ? 0 : 1 + random.Below(4),
        Context = random.Percent(15) ? 1 : 0,
    };

    private static ulong Few(ref SplitMix random) => (1UL << random.Below(7)) | (random.Percent(30) ? 1UL << random.Below(7) : 0);

    // A whole huge page, or two, or few pages.
    private static int Few(in Step step) =>
        Math.Min(step.Pages, Arena.IsHuge(step.Page) && step.Pages >= Arena.HugePage ? 2 * Arena.HugePage : 4);

    private bool IsHugeFile(PairRun run, in Step step) => step.Verb == StepVerb.MakeFile
        ? HugeChoices.IsAbout(profile) && step.File != 0
        : run.Managed.Files[step.File] is { PageSizeBytes: PageSize.Huge };

    // The first file is cut and punched anywhere, so it gets no huge pages: the kernel would split them into folios of sizes that the managed engine has not.
    private static Step KeepSmall(in Step map) => Arena.IsHuge(map.Page) && map.File == 0 ? map with { File = 2 } : map;

    private static int AnyPage(PairRun run, ref SplitMix random)
    {
        IReadOnlyList<VmaInfo> mappings = run.Mappings;
        if (mappings.Count == 0 || random.Percent(5))
        {
            return random.Below(Arena.Pages);
        }

        VmaInfo mapping = mappings[random.Below(mappings.Count)];
        int start = Arena.PageOf(mapping.Range.Start);
        if (Arena.IsHuge(start) && random.Percent(60))
        {
            return start + (Arena.HugePage * random.Below(Math.Max((int)(mapping.Range.Length >> PageSize.HugeShift), 1)));
        }

        return start + random.Below((int)(mapping.Range.Length >> PageSize.SmallShift));
    }
}
