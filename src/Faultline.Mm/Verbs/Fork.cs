using System.Collections.Generic;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>fork(2), as far as memory goes (Linux: <c>dup_mmap</c>, <c>dup_userfaultfd</c>).</summary>
internal static class Fork
{
    private const VmaFlags NotInherited = VmaFlags.Userfaultfd | VmaFlags.Locked | VmaFlags.LockOnFault;

    /// <returns>The child, or null if there was no memory. Blocks while FORK events are unread.</returns>
    public static MmState? Run(MmState parent)
    {
        var child = MmState.TryCreate(parent.System);
        if (child is null)
        {
            return null;
        }

        child.TearDown = parent.TearDown;
        var events = new EventList();
        Errno errno;
        using (RankedSharedLock.WriteScope held = parent.Lock.EnterWrite())
        {
            errno = CopyAll(parent, child, events);
        }

        if (errno != Errno.None)
        {
            events.Cancel();
            child.Kill();
            child.LeaveUse();
            return null;
        }

        // The child's mappings are finished.
        child.VmaLocks.EndWrite();
        events.TellAll();
        return child;
    }

    private static Errno CopyAll(MmState parent, MmState child, EventList events)
    {
        Dictionary<UserfaultfdContext, UserfaultfdContext>? contexts = null;
        for (Vma? vma = parent.Vmas.FindFrom(0); vma is not null; vma = parent.Vmas.Next(vma))
        {
            if (vma.Has(VmaFlags.DontCopy))
            {
                continue;
            }

            var copy = new Vma(child, vma.Start, vma.End, vma.Flags & ~NotInherited, vma.PageOffset, vma.File);
            if (vma.Userfaultfd is UserfaultfdContext context && (context.Features & UserfaultfdFeatures.EventFork) != 0)
            {
                contexts ??= [];
                copy.SetUserfaultfd(ContextFor(context, child, contexts, events), vma.Flags & VmaFlags.Userfaultfd);
            }

            copy.MayHaveGuards = vma.MayHaveGuards;
            bool isWiped = vma.Has(VmaFlags.WipeOnFork);
            if (!isWiped)
            {
                AnonVmaChain.Fork(copy, vma);
            }

            VmaMerge.Link(copy);
            Errno errno = isWiped ? Errno.None : CopyPageRange.Copy(copy, vma);
            if (errno != Errno.None)
            {
                return errno;
            }

            // After the entries: one that was taken from the parent meanwhile is missing in the copy too.
            copy.HasLostPages = vma.HasLostPages;
        }

        return Errno.None;
    }

    private static UserfaultfdContext ContextFor(
        UserfaultfdContext context, MmState child, Dictionary<UserfaultfdContext, UserfaultfdContext> contexts, EventList events)
    {
        if (!contexts.TryGetValue(context, out UserfaultfdContext? forked))
        {
            forked = new UserfaultfdContext(child, context.Options, context.Rule);
            forked.TryLatch(context.Features);
            contexts.Add(context, forked);
            events.Begin(new PendingEvent(context, UserfaultfdEvent.Fork, 0, 0, forked: forked));
        }

        return forked;
    }
}
