using System.Collections.Generic;

namespace Faultline.Stores;

/// <summary>Where two images differ.</summary>
/// <param name="Ranges">The parts that differ, in order, neighbours joined; the first thousand of them.</param>
/// <param name="RangeCount">How many parts there are.</param>
/// <param name="DifferentBytes">Their length, rounded up to the step.</param>
/// <param name="StepBytes">How fine the comparison is.</param>
/// <param name="IsByIndex">Whether the indexes told, without the contents being read.</param>
public sealed record ImageDifference(IReadOnlyList<ImageRange> Ranges, long RangeCount, ulong DifferentBytes, int StepBytes, bool IsByIndex);
