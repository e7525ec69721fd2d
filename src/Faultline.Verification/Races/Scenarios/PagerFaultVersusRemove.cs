using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerFaultVersusRemove : PagerRace
{
    public override string Story => "A page is thrown away while another thread faults in it: both threads go on, with the image's bytes or zeroes.";

    protected override UserfaultfdFeatures MoreFeatures => UserfaultfdFeatures.EventRemove;

    protected override void Meet(PagerScene scene)
    {
        SeamThread other = Seam.Start("client", () =>
        {
            AccessFault fault = scene.Access[0].Load(scene.Area.Start, out ulong value).Fault;
            RaceBed.Require(fault == AccessFault.None && value is Word or 0, $"the load ended with {fault} and {value:x}.");
        });
        RaceBed.Expect("MADV_DONTNEED", scene.Space.Advise(scene.Area, Advice.DontNeed).Errno);
        other.Join();
    }
}
