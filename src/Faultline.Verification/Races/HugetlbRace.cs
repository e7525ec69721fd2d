namespace Faultline.Verification.Races;

/// <summary>A race about the only page of a hugetlb file: whoever comes first, the page and its reservation are given back in the end.</summary>
internal abstract class HugetlbRace : RaceScenario
{
    public override ulong MemoryBytes => RaceBed.HugeMemoryBytes;

    public override int HugePages => 1;

    public override void Arrange(RaceBed bed)
    {
        IMemoryFile file = bed.HugeFile(pages: 1);
        AddressRange area = bed.MapHugeAligned(MapRequest.SharedFile(file, PageSize.Huge), place: 0);
        Meet(bed, file, area);
        bed.AtEnd(() =>
        {
            bed.Space.Unmap(area).OrThrow("munmap");
            file.Truncate(0).OrThrow("ftruncate");
            RaceBed.Require(bed.Engine.HugePages is { Free: 1, Reserved: 0 }, $"the pool is left with {bed.Engine.HugePages}.");
        });
    }

    /// <summary>Adds the threads.</summary>
    protected abstract void Meet(RaceBed bed, IMemoryFile file, AddressRange area);

    /// <summary>A handler that continues the page, which is in the file and mapped nowhere.</summary>
    protected static void AddContinue(RaceBed bed, AddressRange area, params Errno[] allowed)
    {
        RaceBed.Store(bed.Access(), area, RaceBed.Old);
        bed.Space.Advise(area, Advice.DontNeed).OrThrow("MADV_DONTNEED");
        IUserfaultfd context = bed.Watch(area, RegisterModes.Minor, UserfaultfdFeatures.MinorHugetlbfs);
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_CONTINUE", context.Continue(area).Errno, allowed));
    }
}
