namespace Faultline.Verification.Races.Scenarios;

internal sealed class InterruptVersusWake : RaceScenario
{
    public override string Story => "A signal comes while a fault is being served: the access goes round again, and ends with the page.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing);
        IMemoryAccess access = bed.Access();
        bed.Thread("client", () => RaceBed.Require(RaceBed.Load(access, area) == RaceBed.New, "the client read something else than was copied."));
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_COPY", context.Copy(area.Start, RaceBed.Content(RaceBed.New)).Errno));
        bed.Thread("signal", access.Interrupt);
    }
}
