using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>UFFDIO_ZEROPAGE: the zero page in private memory, a page of zeroes in a shared file (Linux: <c>mfill_atomic_pte_zeropage</c>).</summary>
internal static class UserfaultfdZeropage
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

        public Errno CheckMapping(Vma vma) => vma.File is null or ShmemFile ? Errno.None : Errno.EINVAL;

        public Errno FillPage(UserfaultfdContext context, Vma vma, ulong address, PteTable table)
        {
            if (!vma.IsShared)
            {
                return MapZeroFolio(context.Mm.System, vma, address, table);
            }

            Folio kept = default;
            return NewPage.FillShared(context, vma, address, table, new ZeroPageSource(), writeProtect: false, ref kept, out _);
        }

        /// <remarks>There is no huge zero page that hugetlb could map.</remarks>
        public Errno FillHugePage(Vma vma, ulong address) => Errno.EINVAL;

        public Errno Fetch() => Errno.EFAULT;

        public void End()
        {
        }

        private static unsafe Errno MapZeroFolio(MmSystem system, Vma vma, ulong address, PteTable table)
        {
            using RankedLock.Scope held = system.TableLocks.Enter(table);
            if (vma.File is { } file && vma.IndexOf(address) >= PageCount.FromBytes(file.Size).Value)
            {
                return Errno.EFAULT;
            }

            ulong* entry = table.EntryFor(address);
            if (!Pte.Read(entry).IsNone)
            {
                return Errno.EEXIST;
            }

            ulong rights = (vma.PageRights & ~Pte.Writable) | Pte.Special;
            Pte.Write(entry, Pte.ForFrame(system.Pool.ZeroFolio.Number, rights));
            return Errno.None;
        }
    }
}
