using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerFaultVersusRemap : PagerRace
{
    public override string Story => "A client moves its mapping while another of its threads waits for a page in it: the pager follows, and the bytes are at the new place.";

    protected override UserfaultfdFeatures MoreFeatures => UserfaultfdFeatures.EventRemap;

    protected override void Meet(PagerScene scene)
    {
        var request = MapRequest.PrivateAnonymous(scene.Area.Length);
        AddressRange target = new(scene.Space.Map(in request).OrThrow("mmap"), scene.Area.Length);
        SeamThread other = Seam.Start("client", () => Load(scene.Access[0], scene.Area, page: 0, AccessFault.NotMapped));
        RaceBed.Expect("mremap", scene.Space.Remap(
            scene.Area, scene.Area.Length, RemapOptions.MayMove | RemapOptions.Fixed, target.Start).Errno);
        Load(scene.Access[1], target, page: 0);
        other.Join();
    }
}
