namespace Faultline.Verification.Races.Scenarios;

internal sealed class WriteProtectVersusWrite : RaceScenario
{
    public override string Story => "A page is protected while a thread writes: while it is protected its bytes stand still, and the write is done in the end.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        RaceBed.Store(bed.Access(), area, RaceBed.Old);
        IUserfaultfd context = bed.Watch(area, RegisterModes.WriteProtect);
        IMemoryAccess writer = bed.Access();
        IMemoryAccess reader = bed.Access();
        bed.Thread("writer", () => RaceBed.Store(writer, area, RaceBed.New));
        bed.Thread("handler", () =>
        {
            RaceBed.Expect("UFFDIO_WRITEPROTECT", context.WriteProtect(area, WriteProtectModes.Protect).Errno);
            ulong before = RaceBed.Load(reader, area);
            RaceBed.Require(RaceBed.Load(reader, area) == before, "a protected page changed.");
            RaceBed.Expect("UFFDIO_WRITEPROTECT", context.WriteProtect(area, WriteProtectModes.None).Errno);
        });
        bed.AtEnd(() => RaceBed.Require(RaceBed.Load(reader, area) == RaceBed.New, "the write was lost."));
    }
}
