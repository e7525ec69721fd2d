using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerTwoFaultsOnePage : PagerRace
{
    public override string Story => "Two threads fault in one page of an image: it is read once or joined, and both get its bytes.";

    protected override void Meet(PagerScene scene)
    {
        SeamThread other = Seam.Start("client two", () => Load(scene.Access[1], scene.Area, page: 0));
        Load(scene.Access[0], scene.Area, page: 0);
        other.Join();
    }
}
