using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerFaultVersusDispose : PagerRace
{
    public override string Story => "The pager ends while a thread faults: the thread gets the page, or an error; it does not sleep on, and reads no zeroes.";

    protected override void Meet(PagerScene scene)
    {
        SeamThread other = Seam.Start("client", () => Load(scene.Access[0], scene.Area, page: 0, AccessFault.BusError));
        scene.Pager.Dispose();
        other.Join();
    }
}
