namespace Faultline.Verification.Races.Scenarios;

internal sealed class ZeropageVersusWrite : RaceScenario
{
    public override string Story => "ZEROPAGE serves a write: the write replaces the zero page, and is not lost.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing);
        IMemoryAccess access = bed.Access();
        bed.Thread("client", () => RaceBed.Store(access, area, RaceBed.New));
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_ZEROPAGE", context.Zeropage(area).Errno));
        bed.AtEnd(() => RaceBed.Require(RaceBed.Load(access, area) == RaceBed.New, "the write was lost."));
    }
}
