namespace Faultline.Verification.Races.Scenarios;

internal sealed class CopyVersusTruncate : RaceScenario
{
    public override string Story => "COPY puts a new page into a file that is being cut short: no page and no charge may stay beyond the end.";

    public override void Arrange(RaceBed bed)
    {
        IMemoryFile file = bed.File(pages: 1);
        AddressRange area = bed.MapShared(file, pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing);
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_COPY", context.Copy(area.Start, RaceBed.Content(RaceBed.New)).Errno, Errno.EFAULT));
        bed.Thread("truncater", () => RaceBed.Expect("ftruncate", file.Truncate(0).Errno));
        bed.AtEnd(() => RaceBed.RequireNothingBeyondTheEnd(bed.Access(), area));
        bed.AtEnd(() => RaceBed.Require(file.GetStatus().Value.Blocks == 0, "the file has blocks beyond its end."));
    }
}
