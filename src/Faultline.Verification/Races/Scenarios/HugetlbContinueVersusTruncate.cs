namespace Faultline.Verification.Races.Scenarios;

internal sealed class HugetlbContinueVersusTruncate : RaceScenario
{
    public override string Story => "CONTINUE of a hugetlb page while the file is cut short: no entry stays beyond the end, and nothing stays reserved.";

    public override ulong MemoryBytes => RaceBed.HugeMemoryBytes;

    public override int HugePages => 1;

    public override void Arrange(RaceBed bed)
    {
        IMemoryFile file = bed.HugeFile(pages: 1);
        AddressRange area = bed.MapHugeAligned(MapRequest.SharedFile(file, PageSize.Huge), place: 0);
        RaceBed.Store(bed.Access(), area, RaceBed.Old);
        bed.Space.Advise(area, Advice.DontNeed).OrThrow("MADV_DONTNEED");
        IUserfaultfd context = bed.Watch(area, RegisterModes.Minor, UserfaultfdFeatures.MinorHugetlbfs);
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_CONTINUE", context.Continue(area).Errno, Errno.EFAULT, Errno.EINVAL));
        bed.Thread("truncater", () => RaceBed.Expect("ftruncate", file.Truncate(0).Errno));
        bed.AtEnd(() => RaceBed.RequireNothingBeyondTheEnd(bed.Access(), area));
        bed.AtEnd(() =>
        {
            bed.Space.Unmap(area).OrThrow("munmap");
            file.Truncate(0).OrThrow("ftruncate");
            RaceBed.Require(bed.Engine.HugePages is { Free: 1, Reserved: 0 }, $"the pool is left with {bed.Engine.HugePages}.");
        });
    }
}
