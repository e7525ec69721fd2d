namespace Faultline.Verification.Races.Scenarios;

internal sealed class CopyVersusZap : RaceScenario
{
    public override string Story => "COPY into a page that is being thrown away: afterwards it has the copied bytes, or it is missing.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing);
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_COPY", context.Copy(area.Start, RaceBed.Content(RaceBed.New)).Errno));
        bed.Thread("zapper", () => RaceBed.Expect("MADV_DONTNEED", bed.Space.Advise(area, Advice.DontNeed).Errno));
        bed.AtEnd(() =>
        {
            context.Dispose();
            RaceBed.Require(RaceBed.Load(bed.Access(), area) is 0 or RaceBed.New, "the page has bytes that nobody wrote.");
        });
    }
}
