using System;
using System.Collections.Generic;
using System.Linq;
using Faultline.Verification.Kernel;
using Xunit;

namespace Faultline.Verification.Tests.Kernel;

public sealed class ProgramShrinkerTests
{
    [Fact]
    public void Shrink_TwoStepsThatMatter_OnlyThoseAreLeft()
    {
        IReadOnlyList<Step> steps = [.. Enumerable.Range(0, 40).Select(static i => new Step { Verb = StepVerb.Load, Page = i, Pages = 3 })];
        var shrinker = new ProgramShrinker(Run, TimeSpan.FromSeconds(30));

        (IReadOnlyList<Step> fewest, Difference difference) = shrinker.Shrink(steps, Run(steps)!);

        Assert.Equal([7, 31], fewest.Select(static step => step.Page));
        Assert.All(fewest, static step => Assert.Equal(1, step.Pages));
        Assert.Equal(1, difference.Index);
    }

    // Parts at page 31, if page 7 came before.
    private static Difference? Run(IReadOnlyList<Step> steps)
    {
        bool isReady = false;
        for (int i = 0; i < steps.Count; i++)
        {
            isReady |= steps[i].Page == 7;
            if (isReady && steps[i].Page == 31)
            {
                return new Difference(i, "the answer", "ok", "EINVAL");
            }
        }

        return null;
    }
}
