namespace Faultline.Verification.Races.Scenarios;

internal sealed class HugetlbCopyVersusTruncate : RaceScenario
{
    public override string Story => "COPY of a hugetlb page into a file that is being cut short: the page and its reservation are given back.";

    public override ulong MemoryBytes => RaceBed.HugeMemoryBytes;

    public override int HugePages => 1;

    public override void Arrange(RaceBed bed)
    {
        IMemoryFile file = bed.HugeFile(pages: 1);
        AddressRange area = bed.MapHugeAligned(MapRequest.SharedFile(file, PageSize.Huge), place: 0);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.MissingHugetlbfs);
        byte[] bytes = RaceBed.Content(RaceBed.New, RaceBed.SmallInHuge);
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_COPY", context.Copy(area.Start, bytes).Errno, Errno.EFAULT, Errno.ENOMEM));
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
