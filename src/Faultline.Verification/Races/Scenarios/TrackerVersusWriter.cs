using Faultline.Paging;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class TrackerVersusWriter() : TrackerRace(DirtyTracking.Synchronous)
{
    public override string Story => "A page is written while a tracker is asked: whoever copies what it tells, again until the writer has ended, has the memory. No write is invented.";
}
