using Faultline.Sync.Scheduling;
using Faultline.Verification.Pagers;

namespace Faultline.Verification.Races.Canaries;

internal sealed class ErrorThatWakesNobody : RaceCanary
{
    public override string Story => "The store fails, and the pager makes the page an error without waking who waits for it.";

    public override ScheduleFailureKind Kind => ScheduleFailureKind.LostWake;

    public override void Arrange(RaceBed bed) => new Broken().Arrange(bed);

    private sealed class Broken : PagerRace
    {
        public override string Story => "";

        protected override bool StoreFails => true;

        protected override Troubles Troubles => new() { ErrorsWakeNobody = true };

        protected override void Meet(PagerScene scene) => Load(scene.Access[0], scene.Area, page: 0, AccessFault.BusError);
    }
}
