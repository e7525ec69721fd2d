namespace Faultline.Verification.Races.Scenarios;

internal sealed class CollapseVersusFault : RaceScenario
{
    public override string Story => "Small pages become a huge one while a thread faults in a page that was missing among them: it reads zeroes, and its write stays.";

    public override ulong MemoryBytes => RaceBed.HugeMemoryBytes;

    public override void Arrange(RaceBed bed)
    {
        IMemoryAccess access = bed.Access();
        AddressRange area = bed.MapSmallInHuge(access);
        bed.Thread("writer", () => RaceBed.Store(access, area, RaceBed.New, page: 2));
        bed.Thread("collapser", () => RaceBed.Expect("MADV_COLLAPSE", bed.Space.Advise(area, Advice.Collapse).Errno, Errno.EAGAIN, Errno.EBUSY, Errno.EINVAL));
        bed.AtEnd(() =>
        {
            RaceBed.Require(RaceBed.Load(access, area, page: 2) == RaceBed.New, "the write was lost.");
            RaceBed.Require(RaceBed.Load(access, area) == RaceBed.Old, "a page beside it has other bytes.");
        });
    }
}
