using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerFaultVersusKill : PagerRace
{
    public override string Story => "A client is killed while it waits for a page: its thread is told, and the pager ends in order.";

    protected override void Meet(PagerScene scene)
    {
        SeamThread other = Seam.Start("client", () => Load(scene.Access[0], scene.Area, page: 0, AccessFault.Killed));
        scene.Space.Dispose();
        other.Join();
    }
}
