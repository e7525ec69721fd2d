namespace Faultline.Verification.Races.Scenarios;

internal sealed class CollapseVersusUnmap : RaceScenario
{
    public override string Story => "Small pages become a huge one while their mapping is taken away: nothing of it stays behind.";

    public override ulong MemoryBytes => RaceBed.HugeMemoryBytes;

    public override void Arrange(RaceBed bed)
    {
        IMemoryAccess access = bed.Access();
        AddressRange area = bed.MapSmallInHuge(access);
        bed.Thread("unmapper", () => RaceBed.Expect("munmap", bed.Space.Unmap(area).Errno));
        bed.Thread("collapser", () => RaceBed.Expect("MADV_COLLAPSE", bed.Space.Advise(area, Advice.Collapse).Errno, Errno.EAGAIN, Errno.EBUSY, Errno.EINVAL, Errno.ENOMEM));
    }
}
