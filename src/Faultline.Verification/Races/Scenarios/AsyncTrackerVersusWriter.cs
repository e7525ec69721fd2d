using Faultline.Paging;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class AsyncTrackerVersusWriter() : TrackerRace(DirtyTracking.Asynchronous)
{
    public override string Story => "A page is written while an asynchronous tracker is asked: whoever copies what it tells, again until the writer has ended, has the memory. No write is invented.";
}
