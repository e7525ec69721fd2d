using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerFaultVersusUnmap : PagerRace
{
    public override string Story => "A client takes its mapping away while another of its threads waits for a page in it: the thread gets the page or is told, and the pager goes on.";

    protected override UserfaultfdFeatures MoreFeatures => UserfaultfdFeatures.EventUnmap;

    protected override void Meet(PagerScene scene)
    {
        SeamThread other = Seam.Start("client", () => Load(scene.Access[0], scene.Area, page: 0, AccessFault.NotMapped));
        RaceBed.Expect("munmap", scene.Space.Unmap(scene.Area).Errno);
        other.Join();
    }
}
