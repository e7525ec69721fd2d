namespace Faultline.Verification.Races.Scenarios;

internal sealed class HugetlbContinueVersusPunch : HugetlbRace
{
    public override string Story => "CONTINUE of a hugetlb page while a hole is punched there: it is mapped and taken away again, or EFAULT; its reservation comes back.";

    protected override void Meet(RaceBed bed, IMemoryFile file, AddressRange area)
    {
        AddContinue(bed, area, Errno.EFAULT);
        bed.Thread("puncher", () => RaceBed.Expect("fallocate", file.PunchHole(0, PageSize.Huge).Errno));
    }
}
