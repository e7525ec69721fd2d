using Faultline.Mm;
using Faultline.Sync.Scheduling;
using Faultline.Verification.Races.Scenarios;

namespace Faultline.Verification.Races.Canaries;

internal sealed class CopyThatKeepsItsCharge : RaceCanary
{
    public override string Story => "A copy that comes too late for the end of its file does not give its block back (D11).";

    public override ScheduleFailureKind Kind => ScheduleFailureKind.Invariant;

    public override FillSteps BrokenSteps() => new Broken();

    public override void Arrange(RaceBed bed) => new CopyVersusTruncate().Arrange(bed);

    private sealed class Broken : FillSteps
    {
        public override void GiveBackBlock(ShmemFile file)
        {
        }
    }
}
