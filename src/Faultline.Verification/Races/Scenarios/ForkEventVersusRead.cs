namespace Faultline.Verification.Races.Scenarios;

internal sealed class ForkEventVersusRead : RaceScenario
{
    public override string Story => "A fork is told while a handler reads: it gets the child's userfaultfd once, and the forking thread goes on.";

    public override void Arrange(RaceBed bed)
    {
        bed.CheckAtTheEndOnly();
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.EventFork);
        bed.Thread("forker", () => bed.Own(bed.Space.Fork().OrThrow("fork")));
        bed.Thread("handler", () =>
        {
            SystemResult<UserfaultfdMessage> read = RaceBed.ReadOne(context);
            RaceBed.Require(read.IsOk && read.Value.Event == UserfaultfdEvent.Fork, "the message is no FORK event.");
            bed.Own(read.Value.Forked!);
        });
    }
}
