namespace Faultline.Verification.Races.Scenarios;

internal sealed class ForkEventVersusClose : RaceScenario
{
    public override string Story => "A fork is to be told while the userfaultfd is closed: the fork goes on, and the child is as if never registered.";

    public override void Arrange(RaceBed bed)
    {
        bed.CheckAtTheEndOnly();
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.EventFork);
        IAddressSpace? child = null;
        bed.Thread("forker", () => child = bed.Own(bed.Space.Fork().OrThrow("fork")));
        bed.Thread("closer", context.Dispose);
        bed.AtEnd(() => RaceBed.Require(RaceBed.Load(bed.Access(child), area) == 0, "the child reads bytes that nobody wrote."));
    }
}
