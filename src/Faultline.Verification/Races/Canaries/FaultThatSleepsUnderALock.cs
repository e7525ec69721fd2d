using Faultline.Mm;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Canaries;

internal sealed class FaultThatSleepsUnderALock : RaceCanary
{
    public override string Story => "A fault sleeps with the mmap lock held: a handler that needs that lock before it can wake the fault waits for ever.";

    public override ScheduleFailureKind Kind => ScheduleFailureKind.Deadlock;

    public override void Arrange(RaceBed bed)
    {
        Parker parker = bed.Own(new Parker());
        bed.Engine.System.Steps = new Broken(parker);
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing);
        IMemoryAccess access = bed.Access();
        bed.Thread("client", () => RaceBed.Load(access, area));
        bed.Thread("handler", () =>
        {
            context.Unregister(area);
            parker.Unpark();
        });
    }

    private sealed class Broken(Parker parker) : FillSteps
    {
        public override bool Sleeps(bool mustWait)
        {
            parker.Park();
            return false;
        }
    }
}
