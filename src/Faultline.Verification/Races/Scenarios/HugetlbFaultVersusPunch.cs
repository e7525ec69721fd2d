namespace Faultline.Verification.Races.Scenarios;

internal sealed class HugetlbFaultVersusPunch : HugetlbRace
{
    public override string Story => "A thread writes to a hugetlb page while a hole is punched there: the write is in the file, or went with the hole; the pool adds up.";

    protected override void Meet(RaceBed bed, IMemoryFile file, AddressRange area)
    {
        IMemoryAccess access = bed.Access();
        bed.Thread("writer", () => RaceBed.Store(access, area, RaceBed.New));
        bed.Thread("puncher", () => RaceBed.Expect("fallocate", file.PunchHole(0, PageSize.Huge).Errno));
        bed.AtEnd(() => RaceBed.Require(RaceBed.Load(access, area) is 0 or RaceBed.New, "the page has bytes that nobody wrote."));
    }
}
