using Faultline.Mm;
using Faultline.Sync;
using Faultline.Sync.Scheduling;
using Faultline.Verification.Races.Scenarios;

namespace Faultline.Verification.Races.Canaries;

internal sealed class InstallThatChecksTheEndTooEarly : RaceCanary
{
    public override string Story => "The end of the file is checked before the page table is locked (D12): a truncation in between leaves an entry beyond the end.";

    public override ScheduleFailureKind Kind => ScheduleFailureKind.Invariant;

    public override FillSteps BrokenSteps() => new Broken();

    public override void Arrange(RaceBed bed) => new PrivateCopyVersusTruncate().Arrange(bed);

    private sealed unsafe class Broken : FillSteps
    {
        public override Errno Install(
            PteInstallRule rule, Vma vma, ulong address, PteTable table, Frame* frame, bool isNewlyAllocated, bool writeProtect)
        {
            if (vma.IndexOf(address) >= PageCount.FromBytes(vma.File!.Size).Value)
            {
                return Errno.EFAULT;
            }

            using RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(table);
            ulong* entry = table.EntryFor(address);
            if (!Pte.Read(entry).IsNoneMostly)
            {
                return Errno.EEXIST;
            }

            var folio = new Folio(frame);
            PteInstallDecision decision = rule.Decide(new PteInstallCase(vma.Flags, vma.PageRights, false, isNewlyAllocated, writeProtect));
            Rmap.AddNewAnonymous(folio, vma, address);
            vma.Mm.System.Pool.Lru.Add(folio);
            vma.Mm.Counters.Add(decision.Counter, 1);
            Pte.Write(entry, Pte.ForFrame(frame->Number, decision.EntryFlags));
            return Errno.None;
        }
    }
}
