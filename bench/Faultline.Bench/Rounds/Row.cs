using System;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Bench;

/// <summary>One thing to measure in rounds.</summary>
/// <param name="Pages">The pages one round touches.</param>
/// <param name="RunAsync">Runs one round.</param>
internal sealed record Row(int Pages, Func<CancellationToken, Task<RoundResult>> RunAsync)
{
    /// <summary>A row of rounds that are all alike.</summary>
    public static Row Of(IRounds rounds, RoundSpec spec) =>
        new(spec.Pages, cancellation => rounds.RunAsync(spec, cancellation));
}
