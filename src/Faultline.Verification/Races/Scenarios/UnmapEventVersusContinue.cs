namespace Faultline.Verification.Races.Scenarios;

internal sealed class UnmapEventVersusContinue : RaceScenario
{
    public override string Story => "An UNMAP event is told while a handler continues: the mapping is gone when the event comes, and the fill is refused.";

    public override void Arrange(RaceBed bed)
    {
        IMemoryFile file = bed.File(pages: 1, filled: 1);
        AddressRange area = bed.MapShared(file, pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Minor, UserfaultfdFeatures.EventUnmap);
        bed.Thread("unmapper", () => RaceBed.Expect("munmap", bed.Space.Unmap(area).Errno));
        bed.Thread("handler", () =>
        {
            RaceBed.Expect("UFFDIO_CONTINUE", context.Continue(area).Errno, Errno.ENOENT, Errno.EAGAIN);
            RaceBed.Require(RaceBed.ReadOne(context).Value.Event == UserfaultfdEvent.Unmap, "the message is no UNMAP event.");
            Errno after = context.Continue(area).Errno;
            RaceBed.Require(after is Errno.ENOENT or Errno.EAGAIN, $"after the event UFFDIO_CONTINUE answered {after}.");
        });
    }
}
