using System.Diagnostics;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// Links between mappings and the <see cref="AnonVma"/>s that list them (Linux: <c>anon_vma_prepare</c>,
/// <c>anon_vma_clone</c>, <c>anon_vma_fork</c>).
/// </summary>
internal static class AnonVmaChain
{
    /// <summary>Makes sure the mapping can hold anonymous pages. Under the mmap lock, for reading at least.</summary>
    public static AnonVma Prepare(Vma vma)
    {
        if (vma.AnonVma is { } existing)
        {
            return existing;
        }

        // Faults in two threads may come here at once: the loser's structure is dropped before anybody saw it.
        AnonVma fresh = FindMergeable(vma) ?? new AnonVma(vma.Mm.System.Owners, parent: null);
        using (RankedLock.Scope held = fresh.Enter())
        {
            // Who finds the mapping prepared may file pages at once; who looks for them waits for the lock, and finds the list complete.
            if (vma.TrySetAnonVma(fresh))
            {
                fresh.Mappings.Add(vma);
                vma.Chain.Add(fresh);
                return fresh;
            }
        }

        RemoveIfUnused(vma.Mm.System, fresh);
        return vma.AnonVma!;
    }

    /// <summary>
    /// Lists <paramref name="target"/> wherever <paramref name="source"/> is listed: it may hold the same pages now. Under the
    /// mmap lock for writing.
    /// </summary>
    public static void Clone(Vma target, Vma source)
    {
        foreach (AnonVma anonVma in source.Chain)
        {
            if (target.Chain.Contains(anonVma))
            {
                continue;
            }

            using RankedLock.Scope held = anonVma.Enter();
            anonVma.Mappings.Add(target);
            target.Chain.Add(anonVma);
        }
    }

    /// <summary>As <see cref="Clone"/>, for the child of a fork: it also gets a place of its own for the pages it will make.</summary>
    public static void Fork(Vma child, Vma parent)
    {
        if (parent.AnonVma is null)
        {
            return;
        }

        Clone(child, parent);
        var own = new AnonVma(parent.Mm.System.Owners, parent.AnonVma);
        using RankedLock.Scope held = own.Enter();
        own.Mappings.Add(child);
        child.Chain.Add(own);
        child.AnonVma = own;
    }

    /// <summary>Takes a mapping off every list. Its pages are unmapped already.</summary>
    public static void Unlink(Vma vma)
    {
        foreach (AnonVma anonVma in vma.Chain)
        {
            using (RankedLock.Scope held = anonVma.Enter())
            {
                bool wasListed = anonVma.Mappings.Remove(vma);
                Debug.Assert(wasListed, "A mapping is listed wherever its chain says.");
            }

            RemoveIfUnused(vma.Mm.System, anonVma);
        }

        vma.Chain.Clear();
        vma.AnonVma = null;
    }

    /// <summary>The structure of a neighbour that this mapping might be merged with later (Linux: <c>find_mergeable_anon_vma</c>).</summary>
    private static AnonVma? FindMergeable(Vma vma)
    {
        Vma? next = vma.Mm.Vmas.FindFrom(vma.End);
        if (next is { AnonVma: not null, Chain.Count: 1 } && VmaMerge.CouldBeAlike(vma, next))
        {
            return next.AnonVma;
        }

        Vma? previous = vma.Mm.Vmas.FindBefore(vma.Start);
        return previous is { AnonVma: not null, Chain.Count: 1 } && VmaMerge.CouldBeAlike(previous, vma) ? previous.AnonVma : null;
    }

    private static void RemoveIfUnused(MmSystem system, AnonVma anonVma)
    {
        bool isUnused;
        using (RankedLock.Scope held = anonVma.Enter())
        {
            isUnused = anonVma.Mappings.Count == 0 && !anonVma.IsRemoved;
            anonVma.IsRemoved |= isUnused;
        }

        if (isUnused)
        {
            system.Owners.Remove(anonVma.OwnerHandle);
        }
    }
}
