using Faultline.Mm;
using Faultline.Sync;
using Faultline.Sync.Scheduling;
using Faultline.Verification.Races.Scenarios;

namespace Faultline.Verification.Races.Canaries;

internal sealed class InstallThatTakesALockOutOfTurn : RaceCanary
{
    public override string Story => "The lock of the rmap is taken under that of the page table, and not before it.";

    public override ScheduleFailureKind Kind => ScheduleFailureKind.LockOrder;

    public override FillSteps BrokenSteps() => new Broken();

    public override void Arrange(RaceBed bed) => new ContinueVersusPunch().Arrange(bed);

    private sealed unsafe class Broken : FillSteps
    {
        private readonly RankedLock _rmap = new(LockRank.MmFileMappings);

        public override Errno Install(
            PteInstallRule rule, Vma vma, ulong address, PteTable table, Frame* frame, bool isNewlyAllocated, bool writeProtect)
        {
            using RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(table);
            using RankedLock.Scope outOfTurn = _rmap.Enter();
            return PteInstall.ApplyLocked(rule, vma, address, table, frame, isNewlyAllocated, writeProtect, in held);
        }
    }
}
