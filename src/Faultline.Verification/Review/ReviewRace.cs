using System.Collections.Generic;

namespace Faultline.Verification.Review;

/// <summary>A defect that shows in some orders of what two threads do.</summary>
/// <param name="Failure">What went wrong, in a sentence.</param>
/// <param name="Path">The schedule: the number of the thread that ran on, at each choice.</param>
/// <param name="Preemptions">How often a running thread had to be interrupted for it.</param>
/// <param name="Schedules">Schedules run until then.</param>
/// <param name="RightSchedules">Schedules the right engine was run through without a failure.</param>
/// <param name="RightIsComplete">Whether these stand for all there are: of schedules that differ only in the order of independent steps one was run.</param>
/// <param name="Marks">What the threads did in the failing schedule.</param>
public sealed record ReviewRace(
    string Failure, string Path, int Preemptions, long Schedules, long RightSchedules, bool RightIsComplete, IReadOnlyList<ReviewMark> Marks);
