using Faultline.Mm;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Canaries;

internal sealed class FaultThatNeverSleeps : RaceCanary
{
    public override string Story => "A fault takes its message back and tries again at once: the handler never sees it, and the thread goes round for ever.";

    public override ScheduleFailureKind Kind => ScheduleFailureKind.StepBound;

    public override FillSteps BrokenSteps() => new Broken();

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing);
        IMemoryAccess access = bed.Access();
        bed.Thread("client", () => RaceBed.Load(access, area));
        bed.Thread("handler", () => context.Copy(RaceBed.ReadOne(context).Value.Address, RaceBed.Content(RaceBed.New)));
    }

    private sealed class Broken : FillSteps
    {
        public override bool Sleeps(bool mustWait) => false;
    }
}
