using Faultline.Paging;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerFaultVersusEviction : PagerRace
{
    public override string Story => "Two threads walk over more pages than the budget holds: pages go while others come, and nobody sees other bytes.";

    protected override int Pages => 4;

    // Without headroom the faults make room themselves.
    protected override PagerOptions Configure(PagerOptions smallest) =>
        smallest with { Budget = new MemoryBudget(2 * PageSize.Small) { HeadroomBytes = 0 } };

    protected override void Meet(PagerScene scene)
    {
        SeamThread other = Seam.Start("client two", () =>
        {
            Load(scene.Access[1], scene.Area, page: 2);
            Load(scene.Access[1], scene.Area, page: 3);
        });
        Load(scene.Access[0], scene.Area, page: 0);
        Load(scene.Access[0], scene.Area, page: 1);
        other.Join();
    }
}
