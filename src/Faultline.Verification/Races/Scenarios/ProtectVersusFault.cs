namespace Faultline.Verification.Races.Scenarios;

internal sealed class ProtectVersusFault : RaceScenario
{
    public override string Story => "A page is brought and protected in two steps while a thread writes: no fault may sleep on the moment in which its entry is away.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing | RegisterModes.WriteProtect);
        IMemoryAccess access = bed.Access();
        bed.Thread("client", () => RaceBed.Store(access, area, RaceBed.New));
        bed.Thread("handler", () =>
        {
            RaceBed.Expect("UFFDIO_COPY", context.Copy(area.Start, RaceBed.Content(RaceBed.Old)).Errno);
            RaceBed.Expect("UFFDIO_WRITEPROTECT", context.WriteProtect(area, WriteProtectModes.Protect).Errno);
            RaceBed.Expect("UFFDIO_WRITEPROTECT", context.WriteProtect(area, WriteProtectModes.None).Errno);
        });
        bed.AtEnd(() => RaceBed.Require(RaceBed.Load(access, area) == RaceBed.New, "the write was lost."));
    }
}
