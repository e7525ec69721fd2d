using System.Collections.Generic;

namespace Faultline.Sync.Scheduling;

/// <summary>A strategy that is asked at every step, and sees what each thread is about to do.</summary>
internal interface IStepStrategy
{
    /// <summary>A thread was started by another; it is the last of the threads.</summary>
    void Started(int parent);

    /// <summary>Chooses who makes the next step.</summary>
    /// <param name="threads">All threads.</param>
    /// <param name="runnable">Which of them can run, one bit each; never none.</param>
    /// <param name="last">Who made the last step; -1 at the start.</param>
    /// <returns>The thread's number; -1 if every schedule that goes on from here has an equal that was run already.</returns>
    int Choose(List<ScheduledThread> threads, uint runnable, int last);
}
