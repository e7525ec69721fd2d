namespace Faultline.Verification.Races.Scenarios;

internal sealed class ContinueVersusTruncate : RaceScenario
{
    public override string Story => "CONTINUE maps a cached page while the file is cut short: no entry may stay beyond the end.";

    public override void Arrange(RaceBed bed)
    {
        IMemoryFile file = bed.File(pages: 1, filled: 1);
        AddressRange area = bed.MapShared(file, pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Minor);
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_CONTINUE", context.Continue(area).Errno, Errno.EFAULT, Errno.EINVAL));
        bed.Thread("truncater", () => RaceBed.Expect("ftruncate", file.Truncate(0).Errno));
        bed.AtEnd(() => RaceBed.RequireNothingBeyondTheEnd(bed.Access(), area));
    }
}
