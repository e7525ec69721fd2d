using System;
using System.Runtime.CompilerServices;

namespace Faultline.Mm;

/// <summary>UFFDIO_COPY (Linux: <c>mfill_atomic_copy</c>).</summary>
internal static unsafe class UserfaultfdCopy
{
    private const FillModes Known = FillModes.DontWake | FillModes.WriteProtect;

    /// <summary>Copies from bytes of the caller, who is not in an address space of the engine.</summary>
    public static FillResult Run(UserfaultfdContext context, ulong target, ReadOnlySpan<byte> source, FillModes modes)
    {
        if (context.IsMapChanging)
        {
            return FillOutcome.Changing;
        }

        if (!RangeCheck.IsValid(target, (ulong)source.Length) || (modes & ~Known) != 0)
        {
            return FillOutcome.Refused(Errno.EINVAL);
        }

        fixed (byte* bytes = source)
        {
            var step = new Step<SpanSource>(new SpanSource(bytes), target, memory: null, (modes & FillModes.WriteProtect) != 0);
            return Fill.Run(context, target, (ulong)source.Length, modes, ref step);
        }
    }

    /// <summary>Copies from an address of the context's own address space; the source may fault.</summary>
    public static FillResult Run(UserfaultfdContext context, AddressRange target, ulong source, FillModes modes, ISourceMemory memory)
    {
        if (context.IsMapChanging)
        {
            return FillOutcome.Changing;
        }

        bool isValid = RangeCheck.IsValid(target.Start.Value, target.Length)
            && RangeCheck.IsValidUnaligned(source, target.Length)
            && (modes & ~Known) == 0;
        if (!isValid)
        {
            return FillOutcome.Refused(Errno.EINVAL);
        }

        var step = new Step<AddressSource>(
            new AddressSource(context.Mm, source, memory), target.Start.Value, memory, (modes & FillModes.WriteProtect) != 0);
        return Fill.Run(context, target.Start.Value, target.Length, modes, ref step);
    }

    private interface IRangeSource
    {
        bool TryFill(byte* page, ulong offset, ulong length);

        bool Fetch(byte* page, ulong offset, ulong length);
    }

    private readonly struct SpanSource(byte* bytes) : IRangeSource
    {
        public bool TryFill(byte* page, ulong offset, ulong length)
        {
            Unsafe.CopyBlockUnaligned(page, bytes + offset, (uint)length);
            return true;
        }

        public bool Fetch(byte* page, ulong offset, ulong length) => TryFill(page, offset, length);
    }

    private readonly struct AddressSource(MmState mm, ulong source, ISourceMemory memory) : IRangeSource
    {
        public bool TryFill(byte* page, ulong offset, ulong length) => memory.TryCopy(mm, source + offset, page, (int)length);

        public bool Fetch(byte* page, ulong offset, ulong length) => memory.CopyWithFaults(mm, source + offset, page, (int)length);
    }

    private readonly struct At<TSource>(TSource source, ulong offset, ulong length) : IPageSource
        where TSource : struct, IRangeSource
    {
        public bool TryFill(byte* page) => source.TryFill(page, offset, length);
    }

    private struct Step<TSource>(TSource source, ulong start, ISourceMemory? memory, bool writeProtect) : IFillStep
        where TSource : struct, IRangeSource
    {
        /// <summary>A page that waits for its bytes, or has them and waits for its place.</summary>
        private Folio _kept;

        private ulong _fetchOffset;
        private ulong _fetchLength;
        private MmSystem? _system;
        private bool _needsFetch;

        public readonly bool NeedsFetch => _needsFetch && memory is not null;

        public readonly Errno CheckMapping(Vma vma) => vma.File is null or BackingFile ? Errno.None : Errno.EINVAL;

        public Errno FillPage(UserfaultfdContext context, Vma vma, ulong address, PteTable table)
        {
            _system = context.Mm.System;
            _fetchOffset = address - start;
            _fetchLength = PageSize.Small;
            var page = new At<TSource>(source, _fetchOffset, PageSize.Small);
            return vma.IsShared
                ? NewPage.FillShared(context, vma, address, table, page, writeProtect, ref _kept, out _needsFetch)
                : NewPage.FillPrivate(context, vma, address, table, page, writeProtect, ref _kept, out _needsFetch);
        }

        public Errno FillHugePage(Vma vma, ulong address)
        {
            _system = vma.Mm.System;
            _fetchOffset = address - start;
            _fetchLength = PageSize.Huge;
            var page = new At<TSource>(source, _fetchOffset, PageSize.Huge);
            return HugetlbFill.Copy(vma, address, page, writeProtect, ref _kept, out _needsFetch);
        }

        public Errno Fetch()
        {
            _needsFetch = false;
            return source.Fetch(_system!.Pool.BytesOf(_kept), _fetchOffset, _fetchLength) ? Errno.None : Errno.EFAULT;
        }

        public void End()
        {
            if (!_kept.IsNull)
            {
                _system!.Pool.Put(_kept);
                _kept = default;
            }
        }
    }
}
