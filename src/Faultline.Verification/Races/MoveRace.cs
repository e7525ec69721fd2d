namespace Faultline.Verification.Races;

/// <summary>A page is moved while a thread writes it: the write is in the moved page, or in a new one where it was; never nowhere.</summary>
internal abstract class MoveRace : RaceScenario
{
    public override void Arrange(RaceBed bed)
    {
        IMemoryAccess access = bed.Access();
        AddressRange source = MapSource(bed, access);
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
        });
    }

    /// <summary>The memory whose first page is moved, with the old word in it.</summary>
    protected abstract AddressRange MapSource(RaceBed bed, IMemoryAccess access);
}
