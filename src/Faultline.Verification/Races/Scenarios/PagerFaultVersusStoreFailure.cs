using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerFaultVersusStoreFailure : PagerRace
{
    public override string Story => "The store fails while two threads wait for its page: both end in an error, and neither in zeroes.";

    protected override bool StoreFails => true;

    protected override void Meet(PagerScene scene)
    {
        SeamThread other = Seam.Start("client two", () => Load(scene.Access[1], scene.Area, page: 0, AccessFault.BusError));
        AccessFault fault = scene.Access[0].Load(scene.Area.Start, out _).Fault;
        RaceBed.Require(fault == AccessFault.BusError, $"the load ended with {fault}.");
        other.Join();
    }
}
