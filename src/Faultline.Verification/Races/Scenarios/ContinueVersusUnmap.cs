namespace Faultline.Verification.Races.Scenarios;

internal sealed class ContinueVersusUnmap : RaceScenario
{
    public override string Story => "CONTINUE into a mapping that is being taken away: an entry that goes with it, or ENOENT.";

    public override void Arrange(RaceBed bed)
    {
        IMemoryFile file = bed.File(pages: 1, filled: 1);
        AddressRange area = bed.MapShared(file, pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Minor);
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_CONTINUE", context.Continue(area).Errno, Errno.ENOENT));
        bed.Thread("unmapper", () => RaceBed.Expect("munmap", bed.Space.Unmap(area).Errno));
    }
}
