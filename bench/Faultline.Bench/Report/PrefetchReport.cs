using System.Collections.Generic;
using System.Linq;

namespace Faultline.Bench;

/// <summary>What guessing is worth.</summary>
/// <param name="StoreLatencyMs">How long the store takes for an answer.</param>
/// <param name="Rows">One for each order of touches.</param>
public sealed record PrefetchReport(double StoreLatencyMs, IReadOnlyList<PrefetchRow> Rows)
{
    /// <summary>Whether every row meets its target.</summary>
    public bool Met => Rows.All(static row => row.Met);
}
