namespace Faultline.Verification.Races.Scenarios;

internal sealed class HugetlbFaultVersusPunch : RaceScenario
{
    public override string Story => "A thread writes to a hugetlb page while a hole is punched there: the write is in the file, or went with the hole; the pool adds up.";

    public override ulong MemoryBytes => RaceBed.HugeMemoryBytes;

    public override int HugePages => 1;

    public override void Arrange(RaceBed bed)
    {
        IMemoryFile file = bed.HugeFile(pages: 1);
        AddressRange area = bed.MapHugeAligned(MapRequest.SharedFile(file, PageSize.Huge), place: 0);
        IMemoryAccess access = bed.Access();
        bed.Thread("writer", () => RaceBed.Store(access, area, RaceBed.New));
        bed.Thread("puncher", () => RaceBed.Expect("fallocate", file.PunchHole(0, PageSize.Huge).Errno));
        bed.AtEnd(() => RaceBed.Require(RaceBed.Load(access, area) is 0 or RaceBed.New, "the page has bytes that nobody wrote."));
        bed.AtEnd(() =>
        {
            bed.Space.Unmap(area).OrThrow("munmap");
            file.Truncate(0).OrThrow("ftruncate");
            RaceBed.Require(bed.Engine.HugePages is { Free: 1, Reserved: 0 }, $"the pool is left with {bed.Engine.HugePages}.");
        });
    }
}
