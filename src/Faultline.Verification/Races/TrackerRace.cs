using Faultline.Paging;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races;

/// <summary>A page is written while a tracker of writes is asked.</summary>
internal abstract class TrackerRace(DirtyTracking kind) : RaceScenario
{
    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 2);
        IMemoryAccess writer = bed.Access();
        RaceBed.Store(writer, area, RaceBed.Old);
        RaceBed.Store(writer, area, RaceBed.Old, page: 1);
        CopyByTracker copy = new(bed, area, kind);
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
