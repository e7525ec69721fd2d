using System.Collections.Generic;
using System.Linq;

namespace Faultline.Bench;

/// <summary>A file through a budget of an eighth of it, under the pager and under plain mmap in a memory control group of the same size.</summary>
/// <param name="FileBytes">The size of the file.</param>
/// <param name="BudgetBytes">The budget, and the limit of the group.</param>
/// <param name="Accesses">The accesses of each walk.</param>
/// <param name="ControlGroup">v1 or v2, or null where there is none.</param>
/// <param name="Cells">The cells.</param>
public sealed record BudgetMatrixReport(ulong FileBytes, ulong BudgetBytes, long Accesses, string? ControlGroup, IReadOnlyList<BudgetCell> Cells)
{
    /// <summary>Whether the image was never seen to be larger than the budget.</summary>
    public bool StaysWithin => Cells.All(cell => cell.ResidentMaxBytes <= (long)BudgetBytes);
}
