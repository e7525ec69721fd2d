namespace Faultline.Verification.Races.Scenarios;

internal sealed class SwapOutVersusStore : RaceScenario
{
    public override string Story => "A page is swapped out while a thread writes it: the write is in memory or in swap, never in neither.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IMemoryAccess access = bed.Access();
        RaceBed.Store(access, area, RaceBed.Old);
        bed.Thread("writer", () => RaceBed.Store(access, area, RaceBed.New));
        bed.Thread("reclaim", () => RaceBed.Expect("MADV_PAGEOUT", bed.Space.Advise(area, Advice.PageOut).Errno));
        bed.AtEnd(() => RaceBed.Require(RaceBed.Load(access, area) == RaceBed.New, "the write was lost."));
    }
}
