namespace Faultline.Verification.Races.Scenarios;

internal sealed class CollapseVersusSwapOut : RaceScenario
{
    public override string Story => "Small pages become a huge one while one of them is swapped out: it is in the huge page or in swap, and its slot is not forgotten.";

    public override ulong MemoryBytes => RaceBed.HugeMemoryBytes;

    public override void Arrange(RaceBed bed)
    {
        IMemoryAccess access = bed.Access();
        AddressRange area = bed.MapSmallInHuge(access);
        bed.Thread("reclaim", () => RaceBed.Expect("MADV_PAGEOUT", bed.Space.Advise(RaceBed.PageOf(area, page: 0), Advice.PageOut).Errno));
        bed.Thread("collapser", () => RaceBed.Expect("MADV_COLLAPSE", bed.Space.Advise(area, Advice.Collapse).Errno, Errno.EAGAIN, Errno.EBUSY, Errno.EINVAL));
        bed.AtEnd(() => RaceBed.Require(RaceBed.Load(access, area) == RaceBed.Old, "the page has other bytes than were written."));
    }
}
