using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerFaultVersusFork : PagerRace
{
    public override string Story => "A client forks while another of its threads waits for a page: parent and child both get it, and the pager serves both.";

    protected override UserfaultfdFeatures MoreFeatures => UserfaultfdFeatures.EventFork;

    protected override void Meet(PagerScene scene)
    {
        SeamThread other = Seam.Start("client", () => Load(scene.Access[0], scene.Area, page: 0));
        IAddressSpace child = scene.Bed.Own(scene.Space.Fork().OrThrow("fork"));
        Load(scene.Bed.Access(child), scene.Area, page: 0);
        other.Join();
    }
}
