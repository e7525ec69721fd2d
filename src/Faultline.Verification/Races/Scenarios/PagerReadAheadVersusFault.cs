using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerReadAheadVersusFault : PagerRace
{
    public override string Story => "A page is read ahead while a thread faults in it: it is read once or joined, and the thread gets its bytes.";

    protected override void Meet(PagerScene scene)
    {
        SeamThread other = Seam.Start("client", () => Load(scene.Access[0], scene.Area, page: 0));
        scene.Image.ReadAhead(0, PageSize.Small);
        other.Join();
        RaceBed.Require(scene.Store.Reads == 1, $"the store was read {scene.Store.Reads} times for one page.");
    }
}
