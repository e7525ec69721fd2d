namespace Faultline.Verification.Races.Scenarios;

internal sealed class CopyVersusClose : RaceScenario
{
    public override string Story => "COPY while the userfaultfd is closed: it is done, or refused, and registrations and memory are given back once.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing);
        bed.Thread("handler", () => RaceBed.Expect(
            "UFFDIO_COPY", context.Copy(area.Start, RaceBed.Content(RaceBed.New)).Errno, Errno.EBADF, Errno.ENOENT));
        bed.Thread("closer", context.Dispose);
    }
}
