namespace Faultline.Verification.Races.Scenarios;

internal sealed class PrivateCopyVersusTruncate : RaceScenario
{
    public override string Story => "COPY into a private mapping of a file (case 2) that is being cut short: its page is the mapping's own, but not beyond the end.";

    public override void Arrange(RaceBed bed)
    {
        IMemoryFile file = bed.File(pages: 1, filled: 1);
        AddressRange area = bed.MapPrivate(file, pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing);
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_COPY", context.Copy(area.Start, RaceBed.Content(RaceBed.New)).Errno, Errno.EFAULT));
        bed.Thread("truncater", () => RaceBed.Expect("ftruncate", file.Truncate(0).Errno));
        bed.AtEnd(() => RaceBed.RequireNothingBeyondTheEnd(bed.Access(), area));
    }
}
