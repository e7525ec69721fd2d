namespace Faultline.Verification.Races.Scenarios;

internal sealed class HugetlbContinueVersusTruncate : HugetlbRace
{
    public override string Story => "CONTINUE of a hugetlb page while the file is cut short: no entry stays beyond the end, and nothing stays reserved.";

    protected override void Meet(RaceBed bed, IMemoryFile file, AddressRange area)
    {
        AddContinue(bed, area, Errno.EFAULT, Errno.EINVAL);
        bed.Thread("truncater", () => RaceBed.Expect("ftruncate", file.Truncate(0).Errno));
        bed.AtEnd(() => RaceBed.RequireNothingBeyondTheEnd(bed.Access(), area));
    }
}
