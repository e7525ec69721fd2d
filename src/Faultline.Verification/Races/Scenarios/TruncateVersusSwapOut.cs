namespace Faultline.Verification.Races.Scenarios;

internal sealed class TruncateVersusSwapOut : RaceScenario
{
    public override string Story => "A file is cut short while its page is swapped out: neither the page nor its slot may stay.";

    public override void Arrange(RaceBed bed)
    {
        IMemoryFile file = bed.File(pages: 1, filled: 1);
        AddressRange area = bed.MapShared(file, pages: 1);
        RaceBed.Load(bed.Access(), area);
        bed.Thread("reclaim", () => RaceBed.Expect("MADV_PAGEOUT", bed.Space.Advise(area, Advice.PageOut).Errno));
        bed.Thread("truncater", () => RaceBed.Expect("ftruncate", file.Truncate(0).Errno));
        bed.AtEnd(() => RaceBed.Require(file.GetStatus().Value.Blocks == 0, "the file has blocks beyond its end."));
    }
}
