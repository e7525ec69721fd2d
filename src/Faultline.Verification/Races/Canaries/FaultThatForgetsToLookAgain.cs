using Faultline.Mm;
using Faultline.Sync.Scheduling;
using Faultline.Verification.Races.Scenarios;

namespace Faultline.Verification.Races.Canaries;

internal sealed class FaultThatForgetsToLookAgain : RaceCanary
{
    public override string Story => "A fault goes to sleep without a second look at the entry: a fill that came in between has woken nobody.";

    public override ScheduleFailureKind Kind => ScheduleFailureKind.LostWake;

    public override FillSteps BrokenSteps() => new Broken();

    public override void Arrange(RaceBed bed) => new WakeVersusSleep().Arrange(bed);

    private sealed class Broken : FillSteps
    {
        public override bool Sleeps(bool mustWait) => true;
    }
}
