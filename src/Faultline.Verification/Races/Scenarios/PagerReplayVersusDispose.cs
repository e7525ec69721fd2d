using Faultline.Paging;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerReplayVersusDispose : PagerRace
{
    public override string Story => "A working set is being replayed, in a budget that its pages fill, and is ended in the middle: it ends, and what is faulted in afterwards is right.";

    protected override int Pages => 2;

    protected override PagerOptions Configure(PagerOptions smallest) =>
        smallest with { Budget = new MemoryBudget(2 * PageSize.Small) { HeadroomBytes = 0 } };

    protected override void Meet(PagerScene scene)
    {
        WorkingSet set = new(
            scene.Image.Length,
            [new PageTouch(0, 1, PageFaultKind.Missing, IsWrite: false), new PageTouch(1, 1, PageFaultKind.Missing, IsWrite: false)]);
        scene.Image.Replay(set, readsAtOnce: 1).Dispose();
        Load(scene.Access[0], scene.Area, page: 1);
    }
}
