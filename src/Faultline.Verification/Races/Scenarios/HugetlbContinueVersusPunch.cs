namespace Faultline.Verification.Races.Scenarios;

internal sealed class HugetlbContinueVersusPunch : RaceScenario
{
    public override string Story => "CONTINUE of a hugetlb page while a hole is punched there: it is mapped and taken away again, or EFAULT; its reservation comes back.";

    public override ulong MemoryBytes => RaceBed.HugeMemoryBytes;

    public override int HugePages => 1;

    public override void Arrange(RaceBed bed)
    {
        IMemoryFile file = bed.HugeFile(pages: 1);
        AddressRange area = bed.MapHugeAligned(MapRequest.SharedFile(file, PageSize.Huge), place: 0);
        RaceBed.Store(bed.Access(), area, RaceBed.Old);
        bed.Space.Advise(area, Advice.DontNeed).OrThrow("MADV_DONTNEED");
        IUserfaultfd context = bed.Watch(area, RegisterModes.Minor, UserfaultfdFeatures.MinorHugetlbfs);
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_CONTINUE", context.Continue(area).Errno, Errno.EFAULT));
        bed.Thread("puncher", () => RaceBed.Expect("fallocate", file.PunchHole(0, PageSize.Huge).Errno));
        bed.AtEnd(() =>
        {
            bed.Space.Unmap(area).OrThrow("munmap");
            file.Truncate(0).OrThrow("ftruncate");
            RaceBed.Require(bed.Engine.HugePages is { Free: 1, Reserved: 0 }, $"the pool is left with {bed.Engine.HugePages}.");
        });
    }
}
