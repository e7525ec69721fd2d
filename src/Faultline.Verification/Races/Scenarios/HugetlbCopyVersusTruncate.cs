namespace Faultline.Verification.Races.Scenarios;

internal sealed class HugetlbCopyVersusTruncate : HugetlbRace
{
    public override string Story => "COPY of a hugetlb page into a file that is being cut short: the page and its reservation are given back.";

    protected override void Meet(RaceBed bed, IMemoryFile file, AddressRange area)
    {
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.MissingHugetlbfs);
        byte[] bytes = RaceBed.Content(RaceBed.New, RaceBed.SmallInHuge);
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_COPY", context.Copy(area.Start, bytes).Errno, Errno.EFAULT, Errno.ENOMEM));
        bed.Thread("truncater", () => RaceBed.Expect("ftruncate", file.Truncate(0).Errno));
        bed.AtEnd(() => RaceBed.RequireNothingBeyondTheEnd(bed.Access(), area));
    }
}
