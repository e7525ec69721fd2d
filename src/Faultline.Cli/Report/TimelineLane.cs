using System.Collections.Generic;

namespace Faultline.Cli.Report;

/// <summary>One line of a timeline: a thread, a lock, or the state of a page.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Spans">What is on it.</param>
internal sealed record TimelineLane(string Name, IReadOnlyList<TimelineSpan> Spans);
