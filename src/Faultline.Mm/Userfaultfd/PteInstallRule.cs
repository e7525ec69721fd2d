namespace Faultline.Mm;

/// <summary>
/// The rule that decides how a fill installs an entry, as a function of the case alone. Checkers put other functions in its place, production
/// code uses <see cref="Linux618"/> or <see cref="Review2021"/>.
/// </summary>
internal abstract class PteInstallRule
{
    /// <summary>
    /// Linux 5.18 and later, as in 6.18: always dirty, writable unless the page is a file's and the mapping private, and write-protection whatever
    /// the mapping allows.
    /// </summary>
    public static PteInstallRule Linux618 { get; } = new Rule618();

    /// <summary>
    /// As merged for Linux 5.14 after the review: dirty if writable or not a file's page, write-protection only where the entry would be writable.
    /// </summary>
    public static PteInstallRule Review2021 { get; } = new Rule2021();

    /// <summary>Decides one case.</summary>
    public abstract PteInstallDecision Decide(in PteInstallCase install);

    /// <summary>
    /// The write must copy where the page is a file's and the mapping private; else the mapping decides. In a private mapping of a file a new private page
    /// (case 2) is writable at once.
    /// </summary>
    private static bool MayWrite(in PteInstallCase install) =>
        (install.Vma & VmaFlags.Write) != 0 && !(install.IsInCache && (install.Vma & VmaFlags.Shared) == 0);

    private static PteInstallDecision With(in PteInstallCase install, ulong flags) => new(
        flags,
        AsAnonymous: !install.IsInCache,
        Counter: install.IsInCache ? CounterKind.Shmem : CounterKind.Anonymous,
        AddToLru: install.IsNewlyAllocated,
        MarkFolioDirty: false);

    private sealed class Rule618 : PteInstallRule
    {
        public override PteInstallDecision Decide(in PteInstallCase install)
        {
            ulong flags = (install.PageRights & ~Pte.Writable) | Pte.Dirty;
            if (install.WriteProtect)
            {
                flags |= Pte.WriteProtected;
            }
            else if (MayWrite(in install))
            {
                flags |= Pte.Writable;
            }

            return With(in install, flags);
        }
    }

    private sealed class Rule2021 : PteInstallRule
    {
        public override PteInstallDecision Decide(in PteInstallCase install)
        {
            ulong flags = install.PageRights & ~Pte.Writable;
            bool mayWrite = MayWrite(in install);
            if (mayWrite || !install.IsInCache)
            {
                flags |= Pte.Dirty;
            }

            if (mayWrite)
            {
                flags |= install.WriteProtect ? Pte.WriteProtected : Pte.Writable;
            }

            // Case 5 marks its page after a successful install, by this rule.
            bool isCase5 = install.IsInCache && install.IsNewlyAllocated;
            return With(in install, flags) with { MarkFolioDirty = isCase5 };
        }
    }
}
