namespace Faultline.Verification.Races.Scenarios;

internal sealed class CollapseVersusStore : RaceScenario
{
    public override string Story => "Small pages become a huge one while a thread writes one of them: the write is in the huge page, never in a small one that nobody has.";

    public override ulong MemoryBytes => RaceBed.HugeMemoryBytes;

    public override void Arrange(RaceBed bed)
    {
        IMemoryAccess access = bed.Access();
        AddressRange area = bed.MapSmallInHuge(access);
        bed.Thread("writer", () => RaceBed.Store(access, area, RaceBed.New));
        bed.Thread("collapser", () => RaceBed.Expect("MADV_COLLAPSE", bed.Space.Advise(area, Advice.Collapse).Errno, Errno.EAGAIN, Errno.EBUSY, Errno.EINVAL));
        bed.AtEnd(() =>
        {
            RaceBed.Require(RaceBed.Load(access, area) == RaceBed.New, "the write was lost.");
            RaceBed.Require(RaceBed.Load(access, area, page: 1) == RaceBed.Old, "a page beside it has other bytes.");
        });
    }
}
