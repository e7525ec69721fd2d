using Faultline.Paging;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class TrackerVersusWriter : RaceScenario
{
    public override string Story => "A page is written while a tracker is asked: whoever copies what it tells, again until the writer has ended, has the memory. No write is invented.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 2);
        IMemoryAccess writer = bed.Access();
        RaceBed.Store(writer, area, RaceBed.Old);
        RaceBed.Store(writer, area, RaceBed.Old, page: 1);
        CopyByTracker copy = new(bed, area, DirtyTracking.Synchronous);
        bed.Thread("main", () =>
        {
            Seam.Calmly(copy.Begin);
            SeamThread thread = Seam.Start("writer", () => RaceBed.Store(writer, area, RaceBed.New));
            copy.Take();
            thread.Join();
            Seam.Calmly(() =>
            {
                copy.Take();
                copy.RequireEqual(written: 0, unwritten: 1);
            });
        });
    }
}
