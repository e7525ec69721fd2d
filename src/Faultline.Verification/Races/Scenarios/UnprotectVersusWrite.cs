namespace Faultline.Verification.Races.Scenarios;

internal sealed class UnprotectVersusWrite : RaceScenario
{
    public override string Story => "A write waits at a protected page, or comes just when the protection goes: it is done either way.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IMemoryAccess writer = bed.Access();
        RaceBed.Store(writer, area, RaceBed.Old);
        IUserfaultfd context = bed.Watch(area, RegisterModes.WriteProtect);
        context.WriteProtect(area, WriteProtectModes.Protect).OrThrow("UFFDIO_WRITEPROTECT");
        bed.Thread("writer", () => RaceBed.Store(writer, area, RaceBed.New));
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_WRITEPROTECT", context.WriteProtect(area, WriteProtectModes.None).Errno));
        bed.AtEnd(() => RaceBed.Require(RaceBed.Load(writer, area) == RaceBed.New, "the write was lost."));
    }
}
