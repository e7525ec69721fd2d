namespace Faultline.Verification.Races.Scenarios;

internal sealed class WakeVersusSleep : RaceScenario
{
    public override string Story => "A fill wakes a thread that is just going to sleep: the thread ends with the page, whoever comes first.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing);
        IMemoryAccess access = bed.Access();
        bed.Thread("client", () => RaceBed.Require(RaceBed.Load(access, area) == RaceBed.New, "the client read something else than was copied."));
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_COPY", context.Copy(area.Start, RaceBed.Content(RaceBed.New)).Errno));
    }
}
