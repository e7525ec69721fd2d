namespace Faultline.Verification.Races.Scenarios;

internal sealed class PunchVersusLoad : RaceScenario
{
    public override string Story => "A page of a file is read while a hole is punched there: the old bytes, or zeroes.";

    public override void Arrange(RaceBed bed)
    {
        IMemoryFile file = bed.File(pages: 1, filled: 1);
        AddressRange area = bed.MapShared(file, pages: 1);
        IMemoryAccess access = bed.Access();
        bed.Thread("reader", () => RaceBed.Require(RaceBed.Load(access, area) is RaceBed.Old or 0, "the reader saw bytes that nobody wrote."));
        bed.Thread("puncher", () => RaceBed.Expect("fallocate", file.PunchHole(0, RaceBed.PageBytes).Errno));
    }
}
