using Faultline.Paging;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerFaultVersusBackgroundEviction : PagerRace
{
    public override string Story => "A thread walks over more pages than the budget holds while the pager makes room in the background: nobody sees other bytes, and nobody waits for ever.";

    protected override int Pages => 5;

    protected override PagerOptions Configure(PagerOptions smallest) =>
        smallest with { Budget = new MemoryBudget(4 * PageSize.Small) { HeadroomBytes = 2 * PageSize.Small } };

    protected override void Prepare(PagerScene scene)
    {
        Load(scene.Access[0], scene.Area, page: 0);
        Load(scene.Access[0], scene.Area, page: 1);
        Load(scene.Access[0], scene.Area, page: 2);
    }

    // The fourth page takes the last of the budget, and wakes the thread in the background.
    protected override void Meet(PagerScene scene)
    {
        Load(scene.Access[0], scene.Area, page: 3);
        Load(scene.Access[0], scene.Area, page: 4);
    }
}
