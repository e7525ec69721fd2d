namespace Faultline.Verification.Races.Scenarios;

internal sealed class CollapseVersusFork : RaceScenario
{
    public override string Story => "Small pages become a huge one while the process forks: parent and child have the same bytes, and pages of their own once one writes.";

    public override ulong MemoryBytes => RaceBed.HugeMemoryBytes;

    public override void Arrange(RaceBed bed)
    {
        IMemoryAccess access = bed.Access();
        AddressRange area = bed.MapSmallInHuge(access);
        IAddressSpace? child = null;
        bed.Thread("forker", () => child = bed.Own(bed.Space.Fork().OrThrow("fork")));
        bed.Thread("collapser", () => RaceBed.Expect("MADV_COLLAPSE", bed.Space.Advise(area, Advice.Collapse).Errno, Errno.EAGAIN, Errno.EBUSY, Errno.EINVAL));
        bed.AtEnd(() =>
        {
            RaceBed.Store(access, area, RaceBed.New);
            RaceBed.Require(RaceBed.Load(bed.Access(child), area) == RaceBed.Old, "the child does not have the page as it was at the fork.");
        });
    }
}
