using Faultline.Mm;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Canaries;

internal sealed class FaultThatSleepsUnderALock : RaceCanary
{
    private readonly Parker _parker = new();

    public override string Story => "A fault sleeps with the mmap lock held: a handler that needs that lock before it can wake the fault waits for ever.";

    public override ScheduleFailureKind Kind => ScheduleFailureKind.Deadlock;

    public override FillSteps BrokenSteps() => new Broken(_parker);

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing);
        IMemoryAccess access = bed.Access();
        bed.Thread("client", () => RaceBed.Load(access, area));
        bed.Thread("handler", () =>
        {
            context.Unregister(area);
            _parker.Unpark();
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
