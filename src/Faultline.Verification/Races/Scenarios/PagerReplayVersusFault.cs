using Faultline.Paging;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerReplayVersusFault : PagerRace
{
    public override string Story => "A working set is replayed while a thread faults in one of its pages: the replay and the fault both end, and the bytes are right.";

    protected override int Pages => 2;

    protected override void Meet(PagerScene scene)
    {
        WorkingSet set = new(scene.Image.Length, [new PageTouch(0, 1, PageFaultKind.Missing, IsWrite: false)]);
        SeamThread other = Seam.Start("client", () => Load(scene.Access[0], scene.Area, page: 0));
        using WorkingSetReplay replay = scene.Image.Replay(set, readsAtOnce: 1);
        other.Join();
        Load(scene.Access[1], scene.Area, page: 1);
    }
}
