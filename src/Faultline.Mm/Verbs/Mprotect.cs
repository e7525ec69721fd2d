using System.Collections.Generic;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>mprotect(2) (Linux: <c>do_mprotect_pkey</c>).</summary>
internal static class Mprotect
{
    public static Errno Run(MmState mm, AddressRange range, Protections protection)
    {
        const Protections Known = Protections.Read | Protections.Write | Protections.Execute;
        ulong start = range.Start.Value;
        if ((start & (PageSize.Small - 1)) != 0 || (protection & ~Known) != 0)
        {
            return Errno.EINVAL;
        }

        if (range.Length == 0)
        {
            return Errno.None;
        }

        ulong length = PageCount.FromBytes(range.Length).Bytes;
        if (!RangeCheck.IsValidUnaligned(start, length))
        {
            return Errno.ENOMEM;
        }

        List<LockedPart>? locked = null;
        Errno errno;
        using (RankedSharedLock.WriteScope held = mm.Lock.EnterWriteBesideFaults())
        {
            errno = RangeLocked(mm, start, start + length, FlagsOf(protection), ref locked);
        }

        foreach (LockedPart part in locked ?? [])
        {
            if (Mlock.PopulateAll(mm, part.Start, part.End) == Errno.None && part.HasProtected)
            {
                Populate.BringInProtected(mm, part.End);
            }
        }

        return errno;
    }

    public static VmaFlags FlagsOf(Protections protection) =>
        ((protection & Protections.Read) != 0 ? VmaFlags.Read : 0)
        | ((protection & Protections.Write) != 0 ? VmaFlags.Write : 0)
        | ((protection & Protections.Execute) != 0 ? VmaFlags.Execute : 0);

    /// <summary>The kernel cannot wait for a userfault here: it brings in what comes before the first one.</summary>
    private static LockedPart UpToUserfault(Vma vma)
    {
        for (ulong end = vma.Start; vma.IsArmed && end < vma.End; end += PageSize.Small)
        {
            Pte entry = vma.Mm.Table.FindEntry(end).Read();
            bool isCached = vma.File is ShmemFile file && !file.Cache.Find(vma.IndexOf(end)).IsNone;
            VmaFlags mode = isCached ? VmaFlags.UserfaultfdMinor : VmaFlags.UserfaultfdMissing;
            bool isMissing = (entry.IsNone || entry.Marker == PteMarker.WriteProtect) && vma.Has(mode);
            bool isProtected = entry.IsWriteProtected && vma.Has(VmaFlags.UserfaultfdWriteProtect) && !vma.Userfaultfd!.IsWriteProtectAsync;
            if (isMissing || isProtected)
            {
                // What is protected and not there comes, and is asked for only then.
                return new(vma.Start, end, HasProtected: !isMissing && !entry.IsPresent && !vma.Has(VmaFlags.LockOnFault));
            }
        }

        return new(vma.Start, vma.End, HasProtected: false);
    }

    /// <summary>Whether a fault at an address gets as far as preparing the mapping: not where poison or a guard is.</summary>
    private static bool MayFault(Vma vma, ulong address)
    {
        Pte entry = vma.Mm.Table.FindEntry(address).Read();
        return !entry.IsMarker || entry.Marker == PteMarker.WriteProtect;
    }

    /// <summary>Private memory that becomes writable is accounted for from then on (Linux: <c>mprotect_fixup</c>).</summary>
    private static VmaFlags AccountFor(Vma vma, VmaFlags rights)
    {
        const VmaFlags Never = VmaFlags.Account | VmaFlags.Write | VmaFlags.HugeTlb | VmaFlags.Shared | VmaFlags.NoReserve;
        return (rights & VmaFlags.Write) != 0 && (vma.Flags & Never) == 0 ? VmaFlags.Account : VmaFlags.None;
    }

    /// <remarks>Not atomic: what comes before a hole, or before a mapping that refuses, stays changed.</remarks>
    private static Errno RangeLocked(MmState mm, ulong start, ulong end, VmaFlags rights, ref List<LockedPart>? locked)
    {
        mm.VmaLocks.StartWriteAround(mm.Vmas, start, end);
        ulong at = start;
        while (at < end)
        {
            if (mm.Vmas.Find(at) is not { } vma)
            {
                return Errno.ENOMEM;
            }

            // Each right needs its "may": four bits up.
            if (((ulong)rights & ~((ulong)vma.Flags >> 4) & (ulong)VmaFlags.Access) != 0)
            {
                return Errno.EACCES;
            }

            if ((vma.Flags & VmaFlags.Access) != rights)
            {
                Errno errno = VmaRange.Isolate(ref vma, start, end);
                if (errno != Errno.None)
                {
                    return errno;
                }

                bool mustPrepare = false;
                if ((vma.Flags & (VmaFlags.Write | VmaFlags.Shared | VmaFlags.Locked)) == VmaFlags.Locked && (rights & VmaFlags.Write) != 0)
                {
                    // What is locked and becomes writable gets its own pages now.
                    LockedPart part = UpToUserfault(vma);
                    bool isCutShort = part.End < vma.End && !vma.Mm.Table.FindEntry(part.End).Read().IsPresent;
                    mustPrepare = !vma.Has(VmaFlags.LockOnFault) && (isCutShort || (part.Start < part.End && MayFault(vma, part.Start)));
                    (locked ??= []).Add(part);
                }

                vma.SetFlags((vma.Flags & ~VmaFlags.Access) | rights | AccountFor(vma, rights));
                if (!vma.Has(VmaFlags.Write) && vma.IsAnonymous && vma.AnonVma is null)
                {
                    vma.SetFlags(vma.Flags & ~VmaFlags.Account);
                }

                _ = ChangeProtection.Range(vma, vma.Start, vma.End, ProtectionChange.Rights);
                at = vma.End;
                VmaMerge.MergeWithNeighbours(vma);
                if (mustPrepare)
                {
                    // The first fault has prepared the mapping before it asked, or found no page; that keeps it apart from those that come next.
                    AnonVmaChain.Prepare(mm.Vmas.Find(at - PageSize.Small)!);
                }
            }
            else
            {
                at = vma.End;
            }
        }

        return Errno.None;
    }

    /// <summary>A part of a locked mapping that gets its own pages.</summary>
    /// <param name="Start">Its start.</param>
    /// <param name="End">Where it ends, because of a page that a userfaultfd watches, or with the mapping.</param>
    /// <param name="HasProtected">Whether that page is write-protected and not there.</param>
    private readonly record struct LockedPart(ulong Start, ulong End, bool HasProtected);
}
