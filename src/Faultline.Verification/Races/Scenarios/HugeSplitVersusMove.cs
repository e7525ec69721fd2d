namespace Faultline.Verification.Races.Scenarios;

internal sealed class HugeSplitVersusMove : RaceScenario
{
    public override string Story => "MOVE takes a small part out of a huge page, which splits it, while a thread writes that part: the write is in the moved page, or in a new one.";

    public override ulong MemoryBytes => RaceBed.HugeMemoryBytes;

    public override void Arrange(RaceBed bed)
    {
        IMemoryAccess access = bed.Access();
        AddressRange source = bed.MapHuge(access);
        AddressRange target = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(target, RegisterModes.Missing, UserfaultfdFeatures.Move);
        Errno moved = default;
        bed.Thread("mover", () => moved = RaceBed.Expect(
            "UFFDIO_MOVE", context.Move(target.Start, source.Start, RaceBed.PageBytes).Errno, Errno.EAGAIN, Errno.EBUSY));
        bed.Thread("writer", () => RaceBed.Store(access, source, RaceBed.New));
        bed.AtEnd(() =>
        {
            ulong left = RaceBed.Load(access, source);
            ulong arrived = moved == Errno.None ? RaceBed.Load(access, target) : 0;
            RaceBed.Require(
                moved != Errno.None ? left == RaceBed.New : (left, arrived) is (0, RaceBed.New) or (RaceBed.New, RaceBed.Old),
                $"UFFDIO_MOVE answered {moved}; the source has {left:x}, the target {arrived:x}.");
            RaceBed.Require(RaceBed.Load(access, source, page: 1) == RaceBed.Old, "a page beside it has other bytes.");
        });
    }
}
