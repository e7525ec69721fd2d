namespace Faultline.Verification.Races.Scenarios;

internal sealed class ForkVersusStore : RaceScenario
{
    public override string Story => "A process forks while a thread writes: the parent has the write, the child the page before it or after it.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IMemoryAccess access = bed.Access();
        RaceBed.Store(access, area, RaceBed.Old);
        IAddressSpace? child = null;
        bed.Thread("writer", () => RaceBed.Store(access, area, RaceBed.New));
        bed.Thread("forker", () => child = bed.Own(bed.Space.Fork().OrThrow("fork")));
        bed.AtEnd(() =>
        {
            RaceBed.Require(RaceBed.Load(access, area) == RaceBed.New, "the parent's write was lost.");
            RaceBed.Require(RaceBed.Load(bed.Access(child), area) is RaceBed.Old or RaceBed.New, "the child reads bytes that nobody wrote.");
        });
    }
}
