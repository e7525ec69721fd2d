using System;
using System.Collections.Generic;
using System.Text.RegularExpressions;

namespace Faultline.Verification.Kernel;

/// <summary>The differences found, those that are alike counted once. Not safe for concurrent callers.</summary>
internal sealed partial class DifferenceList
{
    private const int Reruns = 5;
    private static readonly TimeSpan ShrinkTime = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, KernelDifference> _byKey = [];
    private readonly List<KernelDifference> _all = [];

    public int Count => _all.Count;

    public IReadOnlyList<KernelDifference> All => [.. _all];

    /// <summary>Cuts a program down.</summary>
    public static KernelDifference Minimise(EnginePair engines, ulong? programSeed, IReadOnlyList<Step> steps, Difference difference)
    {
        Difference? again = null;
        int times = 0;
        for (int time = 0; time < Reruns; time++)
        {
            if (ProgramReplay.Run(engines, steps) is { } once)
            {
                again = once;
                times++;
            }
        }

        // What shows in fewer than half of the runs depends on which thread came first, not on the program.
        if (again is null || times <= Reruns / 2)
        {
            return Describe(programSeed, steps, difference, isReproducible: false);
        }

        var shrinker = new ProgramShrinker(candidate => ProgramReplay.Run(engines, candidate), ShrinkTime);
        (IReadOnlyList<Step> fewest, Difference last) = shrinker.Shrink(steps, again);
        return Describe(programSeed, fewest, last, isReproducible: true);
    }

    public static KernelDifference Describe(ulong? programSeed, IReadOnlyList<Step> steps, Difference difference, bool isReproducible) => new()
    {
        ProgramSeed = programSeed,
        What = $"step {difference.Index}: {difference.What}",
        Linux = difference.Linux,
        Managed = difference.Managed,
        Script = new KernelProgram(steps, difference.ToString()).Write(),
        Steps = steps.Count,
        IsReproducible = isReproducible,
    };

    /// <summary>Whether one like it is listed; then it is counted.</summary>
    public bool IsKnown(Difference difference, IReadOnlyList<Step> steps)
    {
        if (_byKey.TryGetValue(Key(difference, steps), out KernelDifference? known))
        {
            known.Times++;
            return true;
        }

        return false;
    }

    /// <summary>Lists one. What was cut down to the same steps is one, even if it was found at different ones.</summary>
    /// <returns>Whether it is a new one.</returns>
    public bool Add(KernelDifference described, Difference difference, IReadOnlyList<Step> steps)
    {
        string cut = Key(new Difference(0, described.What, described.Linux, described.Managed), []);
        bool isNew = !_byKey.TryGetValue(cut, out KernelDifference? same);
        if (same is not null)
        {
            same.Times++;
            described = same;
        }
        else
        {
            _all.Add(described);
            _byKey[cut] = described;
        }

        _byKey[Key(difference, steps)] = described;
        return isNew;
    }

    private static string Key(Difference difference, IReadOnlyList<Step> steps)
    {
        StepVerb? verb = difference.Index < steps.Count ? steps[difference.Index].Verb : null;
        return Numbers().Replace($"{verb}|{difference.What}|{difference.Linux}|{difference.Managed}", "#");
    }

    [GeneratedRegex("0x[0-9a-f]+|[0-9]+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Numbers();
}
