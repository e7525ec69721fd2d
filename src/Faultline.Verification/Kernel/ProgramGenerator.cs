using System.Collections.Generic;

namespace Faultline.Verification.Kernel;

/// <summary>
/// Invents a program step by step, looking at what the steps before have made. The seed decides everything: its lowest bits are the profile.
/// </summary>
internal sealed class ProgramGenerator
{
    /// <summary>The bits of a program's seed that name the profile.</summary>
    public const int ProfileBits = 5;

    private readonly PairRun _run;
    private readonly GeneratorOptions _options;
    private readonly ProgramProfile _profile;
    private readonly Queue<Step> _opening = new();
    private readonly StepChoices _choices;
    private SplitMix _random;

    public ProgramGenerator(ulong seed, PairRun run, GeneratorOptions options)
    {
        _run = run;
        _options = options;
        _random = new SplitMix(seed);
        _profile = (ProgramProfile)(seed & ((1 << ProfileBits) - 1));
        _choices = new StepChoices(_profile, options);
        Length = 24 + _random.Below(40);
        Open();
    }

    /// <summary>How many steps the program has.</summary>
    public int Length { get; }

    public Step Next()
    {
        if (_opening.TryDequeue(out Step step))
        {
            return step;
        }

        StepVerb verb = StepWeights.For(_profile).Choose(ref _random);
        bool isWithoutFork = !_options.WithFork || _profile == ProgramProfile.HugePages;
        if ((isWithoutFork && verb is StepVerb.Fork or StepVerb.Exit) || (verb == StepVerb.RaceMove && HugeChoices.IsAbout(_profile)))
        {
            verb = StepVerb.Load;
        }

        return _choices.Make(verb, _run, ref _random);
    }

    // Files, a few mappings of kinds that suit the profile, contexts, registrations: without them most steps would only be refused.
    private void Open()
    {
        // A page outside the arena keeps the page table of all of it alive: whether there is a table shows in scans, and a fault that sleeps or fails may or
        // may not have made one.
        _opening.Enqueue(new Step { Verb = StepVerb.Map, Page = Arena.Keeper, Pages = 1, Mode = (ulong)MapKind.Anonymous, Value = 3 });
        _opening.Enqueue(new Step { Verb = StepVerb.Store, Page = Arena.Keeper, Pages = 1, Value = 1 });
        _opening.Enqueue(new Step { Verb = StepVerb.MakeFile, File = 0, Pages = 2 + _random.Below(10), Tail = _random.Percent(20) ? 100 : 0 });
        if (_random.Percent(50))
        {
            _opening.Enqueue(new Step { Verb = StepVerb.MakeFile, File = 1, Pages = _random.Below(8) });
        }

        _opening.Enqueue(_choices.Make(StepVerb.Open, _run, ref _random) with { Context = 0 });
        if (_random.Percent(30))
        {
            _opening.Enqueue(_choices.Make(StepVerb.Open, _run, ref _random) with { Context = 1 });
        }

        if (HugeChoices.IsAbout(_profile))
        {
            OpenHuge();
            return;
        }

        int mappings = 2 + _random.Below(3);
        int page = _random.Below(4);
        for (int i = 0; i < mappings; i++)
        {
            Step map = _choices.Make(StepVerb.Map, _run, ref _random) with { Page = page, Pages = 1 + _random.Below(10), Skew = 0, Tail = 0 };
            _opening.Enqueue(map);
            if (_random.Percent(75))
            {
                _opening.Enqueue(_choices.Make(StepVerb.Register, _run, ref _random) with { Page = page, Pages = map.Pages, Context = 0, Skew = 0, Tail = 0 });
            }

            page += map.Pages + (_random.Percent(50) ? 0 : 1 + _random.Below(12));
        }

        if (_random.Percent(60))
        {
            int at = _random.Below(3);
            _opening.Enqueue(new Step { Verb = StepVerb.FileWrite, Page = at, Pages = 1 + _random.Below(2), Value = 1 + (ulong)_random.Below(99) });
        }
    }

    // Files that are as large, and two or three mappings in the area for huge pages.
    private void OpenHuge()
    {
        ulong isHugetlb = _profile == ProgramProfile.Hugetlb ? 1UL : 0;
        _opening.Enqueue(new Step { Verb = StepVerb.MakeFile, File = 2, Pages = Arena.HugePage * (1 + _random.Below(3)), Mode = isHugetlb });
        if (_random.Percent(50))
        {
            _opening.Enqueue(new Step { Verb = StepVerb.MakeFile, File = 1, Pages = Arena.HugePage * _random.Below(3), Mode = isHugetlb });
        }

        int slot = 0;
        while (slot < Arena.HugeSlots - 1)
        {
            Step map = _choices.Make(StepVerb.Map, _run, ref _random);
            int pages = Arena.HugePage * (1 + _random.Below(2));
            int page = Arena.HugeFirst + (Arena.HugePage * slot);
            if (Arena.IsHuge(map.Page))
            {
                map = map with { Page = page, Pages = pages, File = ((MapKind)map.Mode).IsFile() ? 2 : 0 };
                slot += (pages / Arena.HugePage) + _random.Below(2);
            }

            _opening.Enqueue(map);
            if (_profile == ProgramProfile.HugePages && _random.Percent(70))
            {
                _opening.Enqueue(new Step { Verb = StepVerb.Advise, Page = map.Page, Pages = map.Pages, Mode = (ulong)Advice.HugePage });
            }

            if (_random.Percent(_profile == ProgramProfile.HugePages ? 35 : 75))
            {
                Step register = _choices.Make(StepVerb.Register, _run, ref _random);
                _opening.Enqueue(register with { Page = map.Page, Pages = map.Pages, Context = 0, Skew = 0, Tail = 0 });
            }
        }
    }
}
