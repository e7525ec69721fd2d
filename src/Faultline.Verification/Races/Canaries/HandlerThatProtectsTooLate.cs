using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Canaries;

internal sealed class HandlerThatProtectsTooLate : RaceCanary
{
    public override string Story => "A page is copied first and protected then: a write in between is never reported.";

    public override ScheduleFailureKind Kind => ScheduleFailureKind.Exception;

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing | RegisterModes.WriteProtect);
        IMemoryAccess writer = bed.Access();
        IMemoryAccess reader = bed.Access();
        bed.Thread("writer", () => RaceBed.Store(writer, area, RaceBed.New));
        bed.Thread("handler", () =>
        {
            RaceBed.Expect("UFFDIO_COPY", context.Copy(area.Start, RaceBed.Content(RaceBed.Old)).Errno);
            context.WriteProtect(area, WriteProtectModes.Protect).OrThrow("UFFDIO_WRITEPROTECT");
            RaceBed.Require(RaceBed.Load(reader, area) == RaceBed.Old, "the page was written, and nobody was told.");
            context.WriteProtect(area, WriteProtectModes.None).OrThrow("UFFDIO_WRITEPROTECT");
        });
    }
}
