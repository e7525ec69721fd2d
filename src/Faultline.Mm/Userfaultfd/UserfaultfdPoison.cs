using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>UFFDIO_POISON: makes accesses fail (Linux: <c>mfill_atomic_pte_poison</c>).</summary>
internal static class UserfaultfdPoison
{
    public static FillResult Run(UserfaultfdContext context, AddressRange range, FillModes modes)
    {
        if (context.IsMapChanging)
        {
            return FillOutcome.Changing;
        }

        if (!RangeCheck.IsValid(range.Start.Value, range.Length) || (modes & ~FillModes.DontWake) != 0)
        {
            return FillOutcome.Refused(Errno.EINVAL);
        }

        var step = default(Step);
        return Fill.Run(context, range.Start.Value, range.Length, modes, ref step);
    }

    private readonly struct Step : IFillStep
    {
        public bool NeedsFetch => false;

        public Errno CheckMapping(Vma vma) => vma.File is null or BackingFile ? Errno.None : Errno.EINVAL;

        public unsafe Errno FillPage(UserfaultfdContext context, Vma vma, ulong address, PteTable table)
        {
            using RankedLock.Scope held = context.Mm.System.TableLocks.Enter(table);
            if (vma.File is { } file && vma.IndexOf(address) >= PageCount.FromBytes(file.Size).Value)
            {
                return Errno.EFAULT;
            }

            ulong* entry = table.EntryFor(address);
            if (!Pte.Read(entry).IsNone)
            {
                return Errno.EEXIST;
            }

            Pte.Write(entry, Pte.ForMarker(PteMarker.Poison));
            return Errno.None;
        }

        public Errno FillHugePage(Vma vma, ulong address) => HugetlbFill.Poison(vma, address);

        public Errno Fetch() => Errno.EFAULT;

        public void End()
        {
        }
    }
}
