using System.Collections.Generic;
using System.Linq;
using Faultline.Mm;

namespace Faultline.Verification.Review;

/// <summary>
/// Finds the shortest history in which a defect shows: all histories of one call, then all of two, and so on, in every area. What the right engine shows is
/// kept from one search to the next.
/// </summary>
internal sealed class ScriptSearch
{
    /// <summary>The most calls after those that set the scene.</summary>
    private const int MostSteps = 3;

    private static readonly ReviewStep[] Alphabet =
    [
        ReviewStep.Copy, ReviewStep.Continue, ReviewStep.LoadAlias, ReviewStep.StoreAlias, ReviewStep.Allocate,
        ReviewStep.Load, ReviewStep.Store, ReviewStep.PageOutAlias, ReviewStep.CopyFromAlias,
    ];

    private readonly Dictionary<(InstallRuleVersion Rule, ReviewArea Area, int Length, int Number), IReadOnlyList<ReviewFact>> _expected = [];
    private readonly List<string> _defaultFailures = [];

    /// <summary>Histories that the right engine was run through.</summary>
    public int DefaultRuns => _expected.Count;

    /// <summary>What did not add up in the right engine.</summary>
    public IReadOnlyList<string> DefaultFailures => _defaultFailures;

    /// <summary>Searches for one defect.</summary>
    /// <returns>The history and what does not add up after it, or null; and how many were tried.</returns>
    public (ReviewScript? Script, IReadOnlyList<string> Violations, long Tried) Find(ReviewDefect defect)
    {
        long tried = 0;
        int count = 1;
        for (int length = 1; length <= MostSteps; length++)
        {
            count *= Alphabet.Length;
            for (int number = 0; number < count; number++)
            {
                ReviewStep[] steps = StepsOf(number, length);
                foreach (ReviewArea area in ReviewArea.All.Where(area => steps.All(step => ReviewStage.IsPossible(area, step))))
                {
                    tried++;
                    var script = new ReviewScript(area, steps);
                    IReadOnlyList<ReviewFact> expected = ExpectedOf(defect.Base, script, length, number);
                    (IReadOnlyList<ReviewFact> facts, IReadOnlyList<string> violations) = script.Run(defect.Base, defect.Steps());
                    if (violations.Count > 0 || !facts.SequenceEqual(expected))
                    {
                        return (script, violations, tried);
                    }
                }
            }
        }

        return (null, [], tried);
    }

    private static ReviewStep[] StepsOf(int number, int length)
    {
        var steps = new ReviewStep[length];
        for (int i = length - 1; i >= 0; i--)
        {
            steps[i] = Alphabet[number % Alphabet.Length];
            number /= Alphabet.Length;
        }

        return steps;
    }

    private IReadOnlyList<ReviewFact> ExpectedOf(InstallRuleVersion rule, ReviewScript script, int length, int number)
    {
        (InstallRuleVersion Rule, ReviewArea Area, int Length, int Number) key = (rule, script.Area, length, number);
        if (!_expected.TryGetValue(key, out IReadOnlyList<ReviewFact>? facts))
        {
            (facts, IReadOnlyList<string> violations) = script.Run(rule, steps: null);
            _expected.Add(key, facts);
            _defaultFailures.AddRange(violations.Select(violation => $"By the rule {rule}, after {script}: {violation}"));
        }

        return facts;
    }
}
