namespace Faultline.Verification.Races.Scenarios;

internal sealed class KhugepagedVersusFault : RaceScenario
{
    public override string Story => "khugepaged makes small pages a huge one while a thread writes to a page that was missing among them: the write stays.";

    public override ulong MemoryBytes => RaceBed.HugeMemoryBytes;

    public override void Arrange(RaceBed bed)
    {
        IMemoryAccess access = bed.Access();
        AddressRange area = bed.MapSmallInHuge(access);
        bed.Space.Advise(area, Advice.HugePage).OrThrow("MADV_HUGEPAGE");
        bed.Thread("writer", () => RaceBed.Store(access, area, RaceBed.New, page: 2));
        bed.Thread("khugepaged", () => bed.Engine.ScanForHugePages());
        bed.AtEnd(() =>
        {
            RaceBed.Require(RaceBed.Load(access, area, page: 2) == RaceBed.New, "the write was lost.");
            RaceBed.Require(RaceBed.Load(access, area) == RaceBed.Old, "a page beside it has other bytes.");
        });
    }
}
