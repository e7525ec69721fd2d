using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>UFFDIO_CONTINUE: maps what the page cache holds (Linux: <c>mfill_atomic_pte_continue</c>). Allocates and charges nothing.</summary>
internal static class UserfaultfdContinue
{
    public static FillResult Run(UserfaultfdContext context, AddressRange range, FillModes modes)
    {
        const FillModes Known = FillModes.DontWake | FillModes.WriteProtect;
        if (context.IsMapChanging)
        {
            return FillOutcome.Changing;
        }

        if (!RangeCheck.IsValid(range.Start.Value, range.Length) || (modes & ~Known) != 0)
        {
            return FillOutcome.Refused(Errno.EINVAL);
        }

        var step = new Step((modes & FillModes.WriteProtect) != 0);
        return Fill.Run(context, range.Start.Value, range.Length, modes, ref step);
    }

    private readonly struct Step(bool writeProtect) : IFillStep
    {
        public bool NeedsFetch => false;

        public Errno CheckMapping(Vma vma) => vma.File is BackingFile ? Errno.None : Errno.EINVAL;

        public unsafe Errno FillPage(UserfaultfdContext context, Vma vma, ulong address, PteTable table)
        {
            var file = (ShmemFile)vma.File!;
            Errno errno = FillSteps.Of(file.System) is { } replaced
                ? replaced.LookUp(file, vma.IndexOf(address), out Folio folio, out RankedLock.Scope held)
                : file.GetFolio(vma.IndexOf(address), ShmemLookup.NoAllocate, out folio, out held);
            if (errno != Errno.None)
            {
                return errno == Errno.ENOENT ? Errno.EFAULT : errno;
            }

            Frame* frame = folio.Record + (vma.IndexOf(address) - folio.Index);
            errno = PteInstall.Apply(context.Rule, vma, address, table, frame, isNewlyAllocated: false, writeProtect);
            held.Dispose();
            if (errno != Errno.None)
            {
                context.Mm.System.Pool.Put(folio);
            }

            return errno;
        }

        public Errno FillHugePage(Vma vma, ulong address) => HugetlbFill.Continue(vma, address, writeProtect);

        public Errno Fetch() => Errno.EFAULT;

        public void End()
        {
        }
    }
}
