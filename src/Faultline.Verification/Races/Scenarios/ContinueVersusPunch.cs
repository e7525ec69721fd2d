namespace Faultline.Verification.Races.Scenarios;

internal sealed class ContinueVersusPunch : RaceScenario
{
    public override string Story => "CONTINUE maps a cached page while a hole is punched there: it is mapped and taken away again, or EFAULT.";

    public override void Arrange(RaceBed bed)
    {
        IMemoryFile file = bed.File(pages: 1, filled: 1);
        AddressRange area = bed.MapShared(file, pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Minor);
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_CONTINUE", context.Continue(area).Errno, Errno.EFAULT));
        bed.Thread("puncher", () => RaceBed.Expect("fallocate", file.PunchHole(0, RaceBed.PageBytes).Errno));
    }
}
