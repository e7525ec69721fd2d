using System;
using Faultline.Mm;

namespace Faultline.Verification.Review;

/// <summary>Installs by another decision than the rule's: it is told the mapping, which the rule is not, because nothing but the case may matter.</summary>
internal sealed unsafe class WrongDecision(Func<Vma, PteInstallCase, PteInstallDecision, PteInstallDecision> wrong) : FillSteps
{
    public override Errno Install(
        PteInstallRule rule, Vma vma, ulong address, PteTable table, Frame* frame, bool isNewlyAllocated, bool writeProtect) =>
        base.Install(new Altered(rule, vma, wrong), vma, address, table, frame, isNewlyAllocated, writeProtect);

    private sealed class Altered(PteInstallRule right, Vma vma, Func<Vma, PteInstallCase, PteInstallDecision, PteInstallDecision> wrong) : PteInstallRule
    {
        public override PteInstallDecision Decide(in PteInstallCase install) => wrong(vma, install, right.Decide(in install));
    }
}
