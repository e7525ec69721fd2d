namespace Faultline.Verification.Races.Scenarios;

internal sealed class HugeSplitVersusFault : RaceScenario
{
    public override string Story => "A part of a huge page is thrown away, which splits it, while a thread writes another part: the write stays, and the part reads zero.";

    public override ulong MemoryBytes => RaceBed.HugeMemoryBytes;

    public override void Arrange(RaceBed bed)
    {
        IMemoryAccess access = bed.Access();
        AddressRange area = bed.MapHuge(access);
        bed.Thread("writer", () => RaceBed.Store(access, area, RaceBed.New, page: 1));
        bed.Thread("zapper", () => RaceBed.Expect("MADV_DONTNEED", bed.Space.Advise(RaceBed.PageOf(area, page: 2), Advice.DontNeed).Errno));
        bed.AtEnd(() =>
        {
            RaceBed.Require(RaceBed.Load(access, area, page: 1) == RaceBed.New, "the write was lost.");
            RaceBed.Require(RaceBed.Load(access, area, page: 2) == 0, "what was thrown away can be read.");
            RaceBed.Require(RaceBed.Load(access, area) == RaceBed.Old, "a page beside it has other bytes.");
        });
    }
}
