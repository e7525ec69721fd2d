namespace Faultline.Verification.Races.Scenarios;

internal sealed class MoveVersusStore : RaceScenario
{
    public override string Story => "MOVE takes a page away while a thread writes it: the write is in the moved page, or in a new one; never nowhere.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange source = bed.MapAnonymous(pages: 1);
        AddressRange target = bed.MapAnonymous(pages: 1);
        IMemoryAccess access = bed.Access();
        RaceBed.Store(access, source, RaceBed.Old);
        IUserfaultfd context = bed.Watch(target, RegisterModes.Missing, UserfaultfdFeatures.Move);
        Errno moved = default;
        bed.Thread("mover", () => moved = RaceBed.Expect(
            "UFFDIO_MOVE", context.Move(target.Start, source.Start, source.Length).Errno, Errno.EAGAIN, Errno.EBUSY));
        bed.Thread("writer", () => RaceBed.Store(access, source, RaceBed.New));
        bed.AtEnd(() =>
        {
            ulong left = RaceBed.Load(access, source);
            ulong arrived = moved == Errno.None ? RaceBed.Load(access, target) : 0;
            RaceBed.Require(
                moved != Errno.None ? left == RaceBed.New : (left, arrived) is (0, RaceBed.New) or (RaceBed.New, RaceBed.Old),
                $"UFFDIO_MOVE answered {moved}; the source has {left:x}, the target {arrived:x}.");
        });
    }
}
